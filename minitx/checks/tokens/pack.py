"""Documents in one stream, and the stream in windows with targets."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect
from minitx.checks.tokens.oracle import Rng

check_pack = Exercise(
    name="tokens/pack",
    title="Documents in one stream",
    call="pack(documents, end, length)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="Every token but the first is a target once, and no place is spent on padding.",
)


def _answer(pack: Callable[..., Any], *arguments: Any) -> tuple[np.ndarray, np.ndarray]:
    got = pack(*arguments)
    expect(
        isinstance(got, tuple | list) and len(got) == 2,
        "Your function should return two arrays, (N, length) each: `return inputs, targets`; it "
        f"returned {describe(got)}.",
    )
    length = arguments[2]
    for name, x in zip(("inputs", "targets"), got):
        expect(
            isinstance(x, np.ndarray) and x.dtype.kind in "iu",
            f"The {name} should be an array of integers, and are {describe(x)}.",
        )
        expect(
            x.ndim == 2 and x.shape[1] == length,
            f"The {name} should have the shape (N, {length}), and have {x.shape}.",
        )
    return got[0], got[1]


@check_pack.stage("One document, one window: what comes next")
def one_window(pack: Callable[..., Any], rng: Rng) -> None:
    document = rng.permutation(50)[:6]
    inputs, targets = _answer(pack, [document], 50, 6)
    stream = [*document.tolist(), 50]
    expect(
        inputs.shape == (1, 6),
        f"Six tokens and the end are one window of 6 and its last target; you have {len(inputs)} "
        "windows. Is the end sign there?",
    )
    expect(
        inputs[0].tolist() == stream[:-1],
        f"The window should read {stream[:-1]}, and reads {inputs[0].tolist()}.",
    )
    expect(
        targets[0].tolist() != inputs[0].tolist(),
        "The targets equal the inputs: a model would be asked for what it has just read, and learn "
        "to copy. Target t is the token after input t.",
    )
    expect(
        targets[0].tolist() != [50, *stream[:-2]] and targets[0].tolist() != [0, *stream[:-2]],
        "The targets are the tokens before the inputs: shift the other way.",
    )
    expect(
        targets[0, -1] != stream[0],
        "The last target is the first token of the text, which comes round as with np.roll: it is "
        "the end sign that follows.",
    )
    expect(
        targets[0].tolist() == stream[1:],
        f"The targets should be {stream[1:]}, and are {targets[0].tolist()}.",
    )


@check_pack.stage("Three windows: every token but the first is a target once", points=2)
def many_windows(pack: Callable[..., Any], rng: Rng) -> None:
    document = rng.permutation(50)[:15]
    inputs, targets = _answer(pack, [document], 50, 5)
    stream = np.append(document, 50)
    read = set(targets.ravel().tolist())
    missed = [int(x) for x in stream[1:] if int(x) not in read]
    expect(
        missed != [int(stream[i]) for i in (6, 12)] and inputs[1:2, 0].tolist() != [stream[6]],
        "Windows begin length + 1 apart: the first token of every window but the first is no "
        "target of anyone. The last target of a window is the first input of the next.",
    )
    expect(
        len(inputs) <= 3,
        f"The windows overlap: 16 tokens have 3 windows of 5, and you have {len(inputs)}.",
    )
    expect(
        len(inputs) == 3,
        f"A window is lost: 16 tokens have 3 windows of 5, and you have {len(inputs)}. (N - 1) // "
        "length of them fit.",
    )
    expect(
        (inputs.ravel() == stream[:-1]).all() and (targets.ravel() == stream[1:]).all(),
        "Read one after the other, the windows should give the stream, and the targets the stream "
        "without its first token.",
    )


@check_pack.stage("Several documents, with the end sign after each")
def several(pack: Callable[..., Any], rng: Rng) -> None:
    documents = [rng.integers(50, size=n) for n in (4, 1, 7, 2)]
    stream = np.concatenate([np.append(document, 50) for document in documents])  # (18,)
    inputs, targets = _answer(pack, documents, 50, 17)
    expect(
        (inputs == 50).sum() >= 3,
        "The documents run into one another: put the end sign after each, not after the last.",
    )
    expect(
        inputs.ravel()[:1].tolist() != [50],
        "The end sign stands before the first document: put it after each.",
    )
    expect(
        inputs.shape == (1, 17) and (inputs[0] == stream[:-1]).all(),
        "The stream should be document, end, document, end, ... in the order given.",
    )
    expect((targets[0] == stream[1:]).all(), "The last target should be the last end sign.")


@check_pack.stage(
    "What fills no window is left out",
    hint="Here the stream has 15 tokens and a window 5. The last token has no target, so that "
    "(15 - 1) // 5 windows fit.",
)
def leftover(pack: Callable[..., Any], rng: Rng) -> None:
    document = rng.integers(50, size=14)
    inputs, targets = _answer(pack, [document], 50, 5)
    expect(
        len(inputs) == 2,
        f"15 tokens have 2 whole windows of 5 with all their targets, and you have {len(inputs)}: "
        "leave out what is left over.",
    )
    stream = np.append(document, 50)
    expect(
        (inputs.ravel() == stream[:10]).all() and (targets.ravel() == stream[1:11]).all(),
        "The first windows change when something is left over at the end: cut from the beginning.",
    )
