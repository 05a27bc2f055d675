"""Several heads in one array."""

import math
from collections.abc import Callable
from typing import Any

from minitx.checks.attention.oracle import Rng, attend, normal
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_array, expect_close

check_heads = Exercise(
    name="attention/heads",
    title="Several heads, by turning axes",
    call="multi_head(q, k, v, num_heads)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="Heads cost nothing: the same numbers, seen as (B, H, T, d) in place of (B, T, D).",
)


@check_heads.stage("One head is plain attention")
def one_head(multi_head: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (2, 5, 6), (2, 5, 6), (2, 5, 6))
    want = attend(q, k, v)
    mistakes = [
        (attend(q, k, v, scale=1.0), "The scores are not divided by the root of a head's width d."),
        (v, "The values come back as they are: does a query meet any key on the way?"),
    ]
    expect_close(
        multi_head(q, k, v, 1), want, "With one head it must be plain attention.", mistakes
    )


@check_heads.stage("With one token, splitting and joining give the values back")
def one_token(multi_head: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (4, 1, 6), (4, 1, 6), (4, 1, 6))
    shuffled = v.reshape(4, 1, 3, 2).swapaxes(2, 3).reshape(4, 1, 6)
    mistakes = [
        (shuffled, "Columns come back in another order: joining must undo the splitting."),
        (v.reshape(4, 1, 3, 2).sum(axis=2), "The heads were added: put them side by side."),
        (v.reshape(4, 1, 3, 2).mean(axis=2), "The heads were averaged: put them side by side."),
    ]
    expect_close(multi_head(q, k, v, 3), v, "The only value must come back as it is.", mistakes)


@check_heads.stage(
    "As a loop over heads says: head h owns the columns h d to (h+1) d",
    points=2,
    hint="Here q is (2, 5, 12) with 3 heads: reshape to (2, 5, 3, 4), then swap axes 1 and 2.",
)
def loop_over_heads(multi_head: Callable[..., Any], rng: Rng) -> None:
    q, k, v = normal(rng, (2, 5, 12), (2, 5, 12), (2, 5, 12))
    got = expect_array(multi_head(q, k, v, 3), (2, 5, 12))
    heads = [x.reshape(2, 5, 3, 4).swapaxes(1, 2) for x in (q, k, v)]  # (B, H, T, d)
    whole = attend(*heads)
    not_turned = attend(*(x.reshape(2, 3, 5, 4) for x in (q, k, v)))
    strided = attend(*(x.reshape(2, 5, 4, 3).transpose(0, 3, 1, 2) for x in (q, k, v)))
    mistakes = [
        (
            not_turned.swapaxes(1, 2).reshape(2, 5, 12),
            "Reshaping to (B, H, T, d) at once mixes tokens: reshape to (B, T, H, d) and then "
            "swap axes 1 and 2.",
        ),
        (
            not_turned.reshape(2, 5, 12),
            "Both reshapes skip the swap of axes, on the way in and on the way out: a head then "
            "holds parts of different tokens.",
        ),
        (
            whole.reshape(2, 5, 12),
            "The heads are right, joining is not: swap axes 1 and 2 back to (B, T, H, d) before "
            "reshaping to (B, T, D).",
        ),
        (
            attend(*heads, scale=1 / math.sqrt(12)).swapaxes(1, 2).reshape(2, 5, 12),
            "The scale is √D: inside a head a query has d = D / H numbers.",
        ),
        (
            strided.transpose(0, 2, 3, 1).reshape(2, 5, 12),
            "Head h took every H-th column: it owns d neighbouring ones, so split D as (H, d).",
        ),
    ]
    want = whole.swapaxes(1, 2).reshape(2, 5, 12)
    expect_close(got, want, "It differs from the loop over heads.", mistakes)
