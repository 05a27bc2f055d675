"""Letting the machine work: programs become states, states are read, cycle by cycle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minitx.autograd.graph import no_grad
from minitx.autograd.tensor import Tensor
from minitx.programs.layout import Layout, from_bits, to_bits
from minitx.programs.machine import SubleqMachine
from minitx.programs.program import Program


class NeverHalts(RuntimeError):
    """A program was still running after the cycles that it was given."""


@dataclass(frozen=True)
class Snapshot:
    """The machine after ``cycle`` cycles: where it is, its memory, and its whole state (n, D)."""

    cycle: int
    pc: int
    cells: tuple[int, ...]
    state: np.ndarray


def load_programs(programs: Sequence[Program], layout: Layout) -> Tensor:
    """The states (B, n, D) in which the programs begin, one for each row of the batch.

    Column 0 is the scratchpad; the cells of memory follow, then the instructions.
    Raises ValueError for a program that has too many columns, or words of another size.
    """
    states = np.zeros((len(programs), layout.columns, layout.width))
    for state, program in zip(states, programs):
        _place(state, program, layout)
    return Tensor(states)


def _place(state: np.ndarray, program: Program, layout: Layout) -> None:
    count, bits = len(program.cells), layout.address_bits
    needed = 1 + count + len(program.code)
    if needed > layout.columns:
        raise ValueError(
            f"the program needs {needed} columns (a scratchpad, {count} cells, "
            f"{len(program.code)} instructions), and the machine has {layout.columns}"
        )
    if program.word_bits != layout.word_bits:
        raise ValueError(
            f"expected words of {layout.word_bits} bits, and the program has {program.word_bits}"
        )
    first = 1 + count  # the column of instruction 0
    state[1:, layout["code"]] = to_bits(np.arange(1, layout.columns), bits)
    state[0, layout["scratch"]] = state[1:first, layout["memory"]] = 1
    state[1:first, layout["word"]] = to_bits(program.cells, layout.word_bits)
    columns = np.add(program.code, [1, 1, first])
    state[first:needed, layout["instruction"]] = to_bits(columns, bits).reshape(len(columns), -1)
    state[0, layout["pc"]] = to_bits(first, bits)


def read_state(state: np.ndarray, program: Program, layout: Layout) -> tuple[int, tuple[int, ...]]:
    """(pc, cells) of one state (n, D), by the signs of its bits."""
    count = len(program.cells)
    cells = from_bits(state[1 : 1 + count, layout["word"]], signed=True)
    return int(from_bits(state[0, layout["pc"]])) - 1 - count, tuple(cells.tolist())


def step_through(machine: SubleqMachine, program: Program) -> Iterator[Snapshot]:
    """A Snapshot before the first cycle and after each, up to the first at a .halt."""
    state, cycle = load_programs([program], machine.layout), 0
    while True:
        pc, cells = read_state(state.numpy()[0], program, machine.layout)
        yield Snapshot(cycle, pc, cells, state.numpy()[0].copy())
        if 0 <= pc < len(program.code) and program.halts_at(pc):
            return
        with no_grad():
            state = machine(state)
        cycle += 1


def run(machine: SubleqMachine, program: Program, limit: int = 2000) -> Snapshot:
    """The Snapshot at which the program has come to its .halt.

    Raises NeverHalts, with what was seen, if that takes more than ``limit`` cycles.
    """
    recent: list[int] = []
    for snapshot in step_through(machine, program):
        if snapshot.cycle > limit:
            break
        recent = [*recent[-99:], snapshot.pc]
        last = snapshot
    else:
        return last
    named = {place: f"{place} ({name})" for name, place in program.labels.items()}
    seen = ", ".join(named.get(pc, str(pc)) for pc in sorted(set(recent)))
    cells = ", ".join(f"{n} = {last.cells[i]}" for n, i in program.names.items() if n[0] != "_")
    raise NeverHalts(
        f"no .halt was reached in {limit} cycles; the last {len(recent)} were at the instructions "
        f"{seen}; in the end {cells or last.cells}"
    )
