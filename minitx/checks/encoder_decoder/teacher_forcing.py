"""The shift: what a decoder gets, what it has to say, and which of it counts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.encoder_decoder.oracle import Rng
from minitx.checks.exercise import Exercise
from minitx.checks.expect import describe, expect

check_teacher_forcing = Exercise(
    name="encoder_decoder/teacher_forcing",
    title="What goes in and what comes out",
    call="teacher_forcing(texts, start, end, pad)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="Every factor of p(y | x) has its place: n words and the end, so n + 1 predictions.",
)

START, END, PAD = 91, 92, 90
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def _arrays(
    teacher_forcing: Callable[..., Any], texts: list[list[int]], ids: tuple = (START, END, PAD)
) -> Arrays:
    got = teacher_forcing([list(text) for text in texts], *ids)
    expect(
        isinstance(got, tuple | list) and len(got) == 3,
        f"Return three arrays, `inputs, targets, counts`; it returned {describe(got)}.",
    )
    shape = (len(texts), max(map(len, texts)) + 1)
    for name, array, kinds in zip(("inputs", "targets", "counts"), got, ("iu", "iu", "b")):
        expect(
            isinstance(array, np.ndarray) and array.dtype.kind in kinds,
            f"{name} should be an array of {'booleans' if kinds == 'b' else 'integers'}, and is "
            f"{describe(array)}{f' of {array.dtype}' if isinstance(array, np.ndarray) else ''}.",
        )
        expect(
            array.shape == shape,
            f"{name} should have the shape {shape}, and has {array.shape}: as many places as the "
            "longest text has words, and one more for the end.",
        )
    return tuple(got)  # type: ignore[return-value]


@check_teacher_forcing.stage("One text")
def one_text(teacher_forcing: Callable[..., Any], rng: Rng) -> None:
    text = [int(word) for word in rng.integers(3, 80, size=4)]
    inputs, targets, counts = (row.tolist()[0] for row in _arrays(teacher_forcing, [text]))
    expect(
        inputs != targets,
        "inputs and targets are the same: the decoder sees the word that it is to predict. At "
        "place t it gets the word before, and at place 0 the start.",
    )
    expect(
        (inputs, targets) != ([*text, END], [START, *text]),
        "The shift goes the wrong way: the decoder gets the start first, and says the end last.",
    )
    expect(
        inputs[0] == START, f"At place 0 the decoder should get the start, and gets {inputs[0]}."
    )
    expect(
        inputs[1:] == text,
        f"After the start, the inputs should be the text {text}; they are {inputs[1:]}.",
    )
    expect(
        targets[-1] == END,
        "The last prediction is the end: without it a model never learns when to stop.",
    )
    expect(targets[:-1] == text, f"The targets should begin with {text}; they are {targets}.")
    expect(all(counts), "In a single text every prediction counts, the end too.")


@check_teacher_forcing.stage("Texts of different lengths", points=2)
def ragged(teacher_forcing: Callable[..., Any], rng: Rng) -> None:
    texts = [rng.integers(3, 80, size=n).tolist() for n in (3, 5, 2)]
    inputs, targets, counts = _arrays(teacher_forcing, texts)
    for b, text in enumerate(texts):
        n = len(text) + 1
        expect(
            not counts[b, n:].any(),
            f"In row {b}, with {n - 1} words, predictions of padding count: the model would learn "
            "to predict padding.",
        )
        expect(
            counts[b, :n].all(),
            f"In row {b}, with {n - 1} words, {int(counts[b].sum())} predictions count: each word "
            "and the end make one more.",
        )
        expect(
            targets[b, :n].tolist() == [*text, END],
            f"Row {b} has to say {[*text, END]}, and its targets are {targets[b, :n].tolist()}: "
            "the end stands right after the text, and not in the last column.",
        )
        expect(
            inputs[b, :n].tolist() == [START, *text],
            f"Row {b} should get {[START, *text]}, and gets {inputs[b, :n].tolist()}.",
        )
        expect(
            (targets[b, n:] == PAD).all(), f"Row {b}: after the end, targets are filled with pad."
        )


@check_teacher_forcing.stage("A text of no words, and pad equal to the end")
def corners(teacher_forcing: Callable[..., Any], rng: Rng) -> None:
    _, targets, counts = _arrays(teacher_forcing, [[], [5, 6]])
    expect(
        counts[0].tolist() == [True, False, False] and targets[0, 0] == END,
        "A text of no words has one prediction: the end, at place 0.",
    )
    counts = _arrays(teacher_forcing, [[7], [5, 6, 8]], (START, END, END))[2]
    expect(
        counts.sum(axis=1).tolist() == [2, 4],
        "Here padding has the id of the end, as in some real vocabularies, and counts went wrong: "
        "find it by lengths, and not by comparing ids with pad.",
    )
