"""The oracle: SUBLEQ in plain Python."""

from collections.abc import Iterator

from minitx.programs.program import Program


def interpret(program: Program) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(pc, cells) before the first instruction, and after each; without end."""
    cells, pc, half = list(program.cells), 0, 2 ** (program.word_bits - 1)
    while True:
        yield pc, tuple(cells)
        a, b, c = program.code[pc]
        cells[b] = (cells[b] - cells[a] + half) % (2 * half) - half  # two's complement
        pc = c if cells[b] <= 0 else pc + 1
