"""A program of the one-instruction computer: cells of memory, and instructions (a, b, c)."""

from dataclasses import dataclass, field, replace

Instruction = tuple[int, int, int]


@dataclass(frozen=True)
class Program:
    """``cells`` are the words of memory before it runs; ``code`` are instructions (a, b, c).

    a and b are numbers of cells, c is the number of an instruction, each counted from 0. ``names``
    and ``labels`` are what the cells and instructions are called, where they have a name.

    Raises ValueError for an operand outside the cells, a jump outside the code, a value that
    does not fit into ``word_bits``, or a last instruction that could run off the end.
    """

    cells: tuple[int, ...]
    code: tuple[Instruction, ...]
    names: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    word_bits: int = 8

    def __post_init__(self):
        if not self.code:
            raise ValueError("a program expected at least one instruction, got none")
        low, high = self.bounds
        for i, value in enumerate(self.cells):
            if not low <= value <= high:
                raise ValueError(f"cell {i}: expected a value from {low} to {high}, got {value}")
        for i, (*operands, target) in enumerate(self.code):
            for cell in operands:
                if not 0 <= cell < len(self.cells):
                    raise ValueError(
                        f"instruction {i}: operand {cell} is outside the memory, "
                        f"cells 0 to {len(self.cells) - 1}"
                    )
            if not 0 <= target < len(self.code):
                raise ValueError(
                    f"instruction {i}: jump to {target} is outside the program, "
                    f"instructions 0 to {len(self.code) - 1}"
                )
        a, b, _ = self.code[-1]
        if a != b:
            raise ValueError(
                "the last instruction may go on to the one after it, and there is none: "
                "end with .halt, or with a jump (subleq z z label)"
            )

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest value of a cell."""
        return -(2 ** (self.word_bits - 1)), 2 ** (self.word_bits - 1) - 1

    def halts_at(self, pc: int) -> bool:
        """Whether instruction ``pc`` is the end: it takes a cell from itself and stays there."""
        a, b, c = self.code[pc]
        return a == b and c == pc

    def listing(self) -> list[str]:
        """The instructions as text, a line each, with the names that there are."""
        cells = {place: name for name, place in self.names.items() if name[0] != "_"}
        labels = {place: name for name, place in self.labels.items()}
        lines = []
        for i, (a, b, c) in enumerate(self.code):
            text = f"subleq {cells.get(a, a)} {cells.get(b, b)}"
            text += "" if c == i + 1 else f" {labels.get(c, c)}"
            text = ".halt" if self.halts_at(i) else text
            lines.append(f"{labels[i]}: {text}" if i in labels else text)
        return lines

    def given(self, **values: int) -> "Program":
        """The same program with other values in the cells of these names."""
        cells = list(self.cells)
        for name, value in values.items():
            if name not in self.names:
                known = ", ".join(name for name in self.names if name[0] != "_")
                raise KeyError(f"no cell is called {name!r}; there are {known}")
            cells[self.names[name]] = int(value)
        return replace(self, cells=tuple(cells))
