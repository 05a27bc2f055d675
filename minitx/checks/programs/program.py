"""A program of the reader's, run on the transformer and beside an interpreter."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from minitx.autograd.graph import no_grad
from minitx.checks.exercise import Exercise
from minitx.checks.expect import Failure, describe, expect
from minitx.programs import (
    AssemblyError,
    Program,
    SubleqMachine,
    assemble,
    interpret,
    load_programs,
    read_state,
)

check_program = Exercise(
    name="programs/program",
    title="Write a program: how far apart are two numbers?",
    call="program()",
    kind="implement",
    difficulty=2,
    minutes=25,
    insight="You have just programmed a transformer: no weight changed, only its input did.",
)

Rng = np.random.Generator
LIMIT = 300


@cache
def _machine() -> SubleqMachine:
    return SubleqMachine()


def assembled(written: Callable[[], Any], names: Sequence[str]) -> Program:
    """The program that an answer returns; a Failure for the reader if it is none."""
    text = written()
    expect(
        isinstance(text, str),
        f"Your function should return the text of a program, and returned {describe(text)}.",
    )
    try:
        program = assemble(text)
        load_programs([program], _machine().layout)
    except AssemblyError as error:
        raise Failure(f"The assembler says: {error}.") from None
    except ValueError as error:
        raise Failure(f"It does not fit into the machine: {error}.") from None
    missing = [name for name in names if name not in program.names]
    expect(not missing, f"There is no cell called {' or '.join(missing)}: write `d: .word 0`.")
    return program


def runs(program: Program, inputs: Sequence[dict[str, int]], limit: int = LIMIT) -> list[dict]:
    """Run on the transformer, all inputs as one batch: the cells by name, and ``cycles``.

    A Failure if one does not halt, or if the interpreter does not agree.
    """
    given = [program.given(**values) for values in inputs]
    oracles = [interpret(each) for each in given]
    states, running = load_programs(given, _machine().layout), list(range(len(given)))
    found: list[dict[str, int]] = [{} for _ in given]
    for cycle in range(limit + 1):
        going = []
        for row, i in enumerate(running):
            pc, cells = read_state(states.numpy()[row], given[i], _machine().layout)
            expect((pc, cells) == next(oracles[i]), "The transformer and the interpreter disagree.")
            if program.halts_at(pc):
                named = {name: cells[place] for name, place in program.names.items()}
                found[i] = named | {"cycles": cycle}
            else:
                going.append(row)
        if not going:
            return found
        running = [running[row] for row in going]
        with no_grad():
            states = _machine()(states[going])
    last = sorted({next(oracles[running[0]])[0] for _ in range(50)})
    raise Failure(
        f"With {_told(inputs[running[0]])} it has not come to .halt after {limit} cycles: it is in "
        "an endless loop, or goes a very slow way; its last instructions, counted from 0, were "
        f"{', '.join(map(str, last))}."
    )


def _told(values: dict[str, int]) -> str:
    return " and ".join(f"{name} = {value}" for name, value in values.items())


def _distances(written: Callable[[], Any], pairs: Any, cause: str) -> list[dict]:
    program = assembled(written, ("x", "y", "d"))
    inputs = [{"x": int(x), "y": int(y)} for x, y in pairs]
    found = runs(program, inputs)
    for values, cells in zip(inputs, found):
        x, y, d = values["x"], values["y"], cells["d"]
        expect(
            d == abs(x - y), f"With {_told(values)} it leaves d = {d}, not {abs(x - y)}. {cause}"
        )
    return found


@check_program.stage("It assembles, and comes to its end")
def halts(program: Callable[[], Any], rng: Rng) -> None:
    made = assembled(program, ("x", "y", "d"))
    runs(made, [{"x": 1, "y": 1}, {"x": 5, "y": 2}, {"x": 2, "y": 5}])


@check_program.stage("x is larger")
def larger(program: Callable[[], Any], rng: Rng) -> None:
    cause = "Remember that `subleq a b` is b -= a: into an empty cell it brings the negative of a."
    _distances(program, [(5, 2), (40, 39), (60, 1)], cause)


@check_program.stage("y is larger")
def smaller(program: Callable[[], Any], rng: Rng) -> None:
    cause = "When x - y is negative its sign must be turned over: is every help cell 0 by then?"
    _distances(program, [(2, 5), (1, 60), (0, 1)], cause)


@check_program.stage("Both are equal")
def equal(program: Callable[[], Any], rng: Rng) -> None:
    _distances(program, [(7, 7), (0, 0)], "A result of 0 jumps, as a negative one does.")


@check_program.stage("Many numbers, negative ones as well", points=2)
def many(program: Callable[[], Any], rng: Rng) -> str:
    cause = "Only the difference tells which is larger, not the signs of x and y themselves."
    pairs = [(60, -60), (-60, 60), (-9, -9), *rng.integers(-60, 61, (30, 2))]
    found = _distances(program, pairs, cause)
    cycles = np.mean([cells["cycles"] for cells in found])
    return f"It took {cycles:.1f} cycles on the average."
