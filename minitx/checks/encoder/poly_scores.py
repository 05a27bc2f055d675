"""Scores of a poly-encoder, from vectors of tokens, codes and candidates."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.attention.oracle import normal, softmax
from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_poly_scores = Exercise(
    name="encoder/poly_scores",
    title="Almost apart: the scores of a poly-encoder",
    call="poly_scores(hidden, codes, candidates)",
    kind="implement",
    difficulty=3,
    minutes=30,
    insight="Two attentions: codes ask the context once, and then each candidate asks the codes, "
    "at the price of m dot products.",
)

Rng = np.random.Generator


def scores(hidden: np.ndarray, codes: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """With loops: hidden (B, T, D), codes (m, D), candidates (C, D) -> (B, C)."""
    found = np.zeros((len(hidden), len(candidates)))
    for b, c in np.ndindex(found.shape):
        kept = [softmax(hidden[b] @ code) @ hidden[b] for code in codes]  # m vectors (D,)
        products = np.array([y @ candidates[c] for y in kept])
        found[b, c] = softmax(products) @ products
    return found


def _kept(hidden: np.ndarray, codes: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """The vectors that the codes keep of the contexts: (B, m, D)."""
    return softmax(scale * codes @ hidden.swapaxes(1, 2)) @ hidden


@check_poly_scores.stage(
    "One token, one code: the dot product of token and candidate",
    hint="Here hidden is (2, 1, 3), codes (1, 3), candidates (4, 3); scores are (2, 4).",
)
def one_token(poly: Callable[..., Any], rng: Rng) -> None:
    hidden, codes, candidates = normal(rng, (2, 1, 3), (1, 3), (4, 3))
    want = hidden[:, 0] @ candidates.T
    long = np.linalg.norm(hidden[:, 0], axis=-1)[:, None] * np.linalg.norm(candidates, axis=-1)
    mistakes = [
        (np.ones((2, 4)), "These are the last weights: mix the products with them."),
        (want / long, "The vectors were brought to length 1: the score is the plain dot product."),
        (want / np.sqrt(3), "The score was divided by √D: here it is the plain dot product."),
    ]
    message = "With a single token every weight is 1."
    expect_close(poly(hidden, codes, candidates), want, message, mistakes)


@check_poly_scores.stage("One code pools the tokens by attention")
def one_code(poly: Callable[..., Any], rng: Rng) -> None:
    hidden, codes, candidates = normal(rng, (2, 5, 3), (1, 3), (4, 3))
    pooled = {
        "The tokens were pooled by their mean: the code's attention weights them.": hidden.mean(1),
        "The softmax over tokens runs over codes: with one code every weight is 1, and the "
        "tokens are added up.": hidden.sum(1),
        "The code's scores were divided by √D: here attention is the plain dot product.": _kept(
            hidden, codes, 3**-0.5
        )[:, 0],
        "Only the token that fits the code best was kept: its softmax mixes all.": hidden[
            [0, 1], (hidden @ codes[0]).argmax(1)
        ],
    }
    mistakes = [(y @ candidates.T, cause) for cause, y in pooled.items()]
    want = scores(hidden, codes, candidates)
    message = "With one code the context is softmax(code · tokens) of its tokens."
    expect_close(poly(hidden, codes, candidates), want, message, mistakes)


@check_poly_scores.stage("Several codes: each candidate chooses among them", points=2)
def several(poly: Callable[..., Any], rng: Rng) -> None:
    hidden, codes, candidates = normal(rng, (2, 5, 3), (6, 3), (4, 3))
    products = _kept(hidden, codes) @ candidates.T  # (B, m, C)
    mistakes = [
        (products.mean(1), "All codes have the same weight: the candidate weights them."),
        (products.sum(1), "The codes were added up: the candidate weights them."),
        (products.max(1), "Only the best code counts: the softmax mixes all."),
        (
            (softmax(products, axis=2) * products).sum(1),
            "The softmax over codes runs over candidates: a score would depend on which other "
            "candidates are there.",
        ),
        (
            (softmax(products / np.sqrt(3), axis=1) * products).sum(1),
            "The candidate's choice was scaled by √D: here attention is the plain dot product.",
        ),
    ]
    want = scores(hidden, codes, candidates)
    expect_close(
        poly(hidden, codes, candidates), want, "It differs from the loop over codes.", mistakes
    )


@check_poly_scores.stage("Dot products of many hundreds")
def large(poly: Callable[..., Any], rng: Rng) -> None:
    hidden, codes, candidates = normal(rng, (2, 5, 3), (6, 3), (4, 3))
    want = scores(40 * hidden, 40 * codes, 40 * candidates)
    message = "Large products overflow: use the softmax that is given in both places."
    expect_close(poly(40 * hidden, 40 * codes, 40 * candidates), want, message)
