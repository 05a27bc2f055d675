"""A transformer that is a computer: equal to an interpreter, and how sharp it must be for that."""

from collections.abc import Sequence

import numpy as np

from minitx.autograd.graph import no_grad
from minitx.autograd.tensor import Tensor
from minitx.experiments import part
from minitx.programs import (
    Layout,
    Program,
    SubleqMachine,
    assemble,
    copied,
    interpret,
    load_programs,
    read_state,
    rounded,
)
from minitx.programs.examples import EXAMPLES, MULTIPLY
from minitx.programs.machine import load
from minitx.programs.wiring import Head, attention

COLUMNS = 64


def mismatches(machine: SubleqMachine, programs: Sequence[Program], cycles: int) -> np.ndarray:
    """Programs run together, beside their interpreters: how many differ, after each cycle.

    A program differs when its counter or any cell of its memory does.
    """
    found = np.zeros(cycles + 1, int)
    oracles = [interpret(program) for program in programs]
    with no_grad():
        states = load_programs(programs, machine.layout)
        for cycle in range(cycles + 1):
            if cycle:
                states = machine(states)
            for state, program, oracle in zip(states.numpy(), programs, oracles):
                found[cycle] += read_state(state, program, machine.layout) != next(oracle)
    return found


def cycles_to_halt(program: Program) -> int:
    """How many cycles the interpreter needs."""
    return next(i for i, (pc, _) in enumerate(interpret(program)) if program.halts_at(pc))


@part(1)
def programs(seed: int = 0) -> dict[str, float]:
    machine, wrong, cycles = SubleqMachine(), 0, 0
    for text in EXAMPLES.values():
        program = assemble(text)
        needed = cycles_to_halt(program)
        wrong += mismatches(machine, [program], needed).sum()
        cycles += needed
    return {"mismatches": wrong, "cycles": cycles}


@part(2)
def one_machine(seed: int = 0) -> dict[str, float]:
    machine, seen, results = SubleqMachine(), set(), set()
    for text in EXAMPLES.values():
        program = assemble(text)
        mismatches(machine, [program], 5)
        seen |= {machine.fingerprint(), SubleqMachine().fingerprint()}
        results.add((program.code, program.cells))
    return {"weights": len(seen), "programs": len(results)}


def weight_missed(sharpness: float, layout: Layout) -> float:
    """How much attention a look-up gives to the wrong columns, at the worst address.

    One word of memory is all ones, every other number is zero bits: what is heard falls short of
    1 by two for each unit of weight that went elsewhere.
    """
    head = attention(load(layout, sharpness)[:1]).to("float64")
    (blank,) = load_programs([Program((0,) * (layout.columns - 2), ((0, 0, 0),))], layout).numpy()
    blank[-1, layout["word"]] = -1.0  # the column of the instruction opposes like the others
    missed = []
    for address in range(1, layout.columns - 1):
        state = blank.astype(np.float64)
        state[address, layout["word"]] = 1.0
        state[0, layout["a"]] = state[address, layout["code"]]
        heard = head(Tensor(state[None], dtype=np.float64)).numpy()[0, 0, layout["x"]]
        missed.append((1 - heard.min()) / 2)
    return max(missed)


def weight_missed_by_names(sharpness: float, columns: int = COLUMNS) -> float:
    """The same where every column has a name of its own, a unit vector: all equally far apart."""
    names = np.eye(columns, 2 * columns)
    asked, word = np.eye(columns, 2 * columns, columns), np.ones((1, 2 * columns))
    word[0, 1:] = -1.0
    head = attention([Head(sharpness * asked, names, word, np.eye(2 * columns)[:1])])
    state = np.zeros((1, columns, 2 * columns))
    state[0, :, :columns] = np.eye(columns)
    state[0, -1, columns] = 1.0  # the last column asks for the first
    heard = head.to("float64")(Tensor(state, dtype=np.float64)).numpy()[0, -1, 0]
    return (1 - heard) / 2


def apart(found: np.ndarray, law: np.ndarray) -> float:
    """The largest factor between two positive curves, either way."""
    return float(np.exp(np.abs(np.log(found / law)).max()))


@part(3)
def sharpness(seed: int = 0) -> dict[str, float]:
    layout, leads = Layout(), np.log(COLUMNS) + np.arange(0, 9)
    bits = np.array([weight_missed(lead, layout) for lead in leads])
    names = np.array([weight_missed_by_names(lead) for lead in leads])
    bound = COLUMNS * np.exp(-leads)
    near = np.log2(COLUMNS) * np.exp(-leads)  # each address has log2 n neighbours, one bit away
    runs = [assemble(text) for text in EXAMPLES.values()]
    most = max(map(cycles_to_halt, runs))

    def wrong(sharpness: float) -> int:
        return int(mismatches(SubleqMachine(sharpness=sharpness), runs, most).sum())

    return {
        "against n exp(-lambda), names": apart(names, bound),
        "against log2(n) exp(-lambda), bits": apart(bits, near),
        "part of n exp(-lambda), bits": (bits / bound).max(),
        "mismatches at log n": wrong(np.log(COLUMNS)),
        "mismatches at log n - 3": wrong(np.log(COLUMNS) - 3),
    }


@part(4)
def rounding(seed: int = 0) -> dict[str, float]:
    long = assemble(MULTIPLY).given(x=1, y=75)
    cycles, lead = cycles_to_halt(long), np.log(COLUMNS) + 2

    def wrong(tidy) -> int:
        return int(mismatches(SubleqMachine(sharpness=lead, tidy=tidy), [long], cycles).sum())

    return {"cycles": cycles, "with rounding": wrong(rounded), "without": wrong(copied)}


def random_program(rng: np.random.Generator, cells: int = 10, instructions: int = 12) -> Program:
    """Random words, operands and jumps, and a halt at the end."""
    operands = rng.integers(0, cells, (instructions, 2))
    targets = rng.integers(0, instructions + 1, (instructions, 1))
    code = [tuple(row) for row in np.concatenate([operands, targets], 1).tolist()]
    values = rng.integers(-128, 128, cells).tolist()
    return Program(tuple(values), (*code, (0, 0, instructions)))


@part(5)
def random_programs(seed: int = 0) -> float:
    rng, machine = np.random.default_rng(seed), SubleqMachine()
    drawn = [random_program(rng) for _ in range(1000)]
    groups = [drawn[i : i + 125] for i in range(0, len(drawn), 125)]
    return sum(mismatches(machine, group, 20).sum() for group in groups)
