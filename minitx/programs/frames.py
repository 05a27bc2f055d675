"""Cycle after cycle to look at: what the machine holds, as text or as a page that turns.

The page is HTML and style sheet alone. It needs no script and no network, the arrow keys turn it,
and in print all of its frames stand one below the other.
"""

import hashlib
from html import escape
from typing import Any

from minitx.autograd.graph import no_grad
from minitx.autograd.tensor import Tensor
from minitx.nn.module import record
from minitx.programs.layout import Layout, from_bits
from minitx.programs.machine import SubleqMachine
from minitx.programs.program import Program
from minitx.programs.run import Snapshot, step_through

_ADDRESSES = {"a": 0, "b": 0, "c": 1, "next": 1}  # 1: of an instruction
_WORDS = ("x", "y", "difference")


class Frames:
    """The cycles of a program from its start to its end, at most ``limit``; shown by a notebook.

    ``print(frames)`` writes two lines a cycle.
    """

    def __init__(self, machine: SubleqMachine, program: Program, limit: int = 40):
        self.program = program
        snapshots = []
        for snapshot in step_through(machine, program):
            snapshots.append(snapshot)
            if snapshot.cycle == limit:
                break
        self.frames = [
            _frame(machine, program, now, before)
            for before, now in zip([snapshots[0], *snapshots], snapshots)
        ]

    def __repr__(self) -> str:
        lines = []
        for frame in self.frames:
            found = {name: value for name, _, value in frame["scratch"]}
            lines += [
                f"{frame['title']:9} " + "  ".join(f"{n} {v}" for n, v, _ in frame["cells"]),
                f"  {frame['instruction']:24} {found['y']} - ({found['x']}) = "
                f"{found['difference']}: {found['flag']}",
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        key = "s" + hashlib.sha256(repr(self).encode()).hexdigest()[:8]
        pages = [self._page(key, i) for i in range(len(self.frames))]
        return (
            f'<div class="machine-steps" role="group" aria-label="A program, cycle by cycle">'
            f"<style>{_STYLE}</style>{''.join(pages)}</div>"
        )

    def _page(self, key: str, i: int) -> str:
        frame, last = self.frames[i], len(self.frames) - 1
        cells = "".join(
            f'<li class="{"changed" if changed else ""}">{escape(name)} <b>{value}</b></li>'
            for name, value, changed in frame["cells"]
        )
        scratch = "".join(
            f"<tr><th>{name}</th><td><code>{bits}</code></td><td>{escape(value)}</td></tr>"
            for name, bits, value in frame["scratch"]
        )
        lines = "\n".join(
            f"{'▶' if n == frame['pc'] else ' '} {n:2} {escape(line)}"
            for n, line in enumerate(self.program.listing())
        )
        turn = "".join(
            f'<label for="{key}-{to}">{text}</label>'
            for text, to in (("◀ previous", i - 1), ("next ▶", i + 1))
            if 0 <= to <= last
        )
        return (
            f'<input type="radio" name="{key}" id="{key}-{i}" aria-label="{frame["title"]}"'
            f'{" checked" if i == 0 else ""}><section><p class="turn">{turn}</p>'
            f"<p><b>{frame['title']} of {last}</b></p><ul>{cells}</ul>"
            f'<div class="both"><pre>{lines}</pre><table>{scratch}</table></div></section>'
        )


def _frame(
    machine: SubleqMachine, program: Program, now: Snapshot, before: Snapshot
) -> dict[str, Any]:
    """What one cycle shows: the memory as it begins, and the scratchpad while it lasts."""
    names = {place: name for name, place in program.names.items() if name[0] != "_"}
    cells = [
        (names[i], value, value != before.cells[i])
        for i, value in enumerate(now.cells)
        if i in names
    ]
    return {
        "title": f"Cycle {now.cycle}",
        "pc": now.pc,
        "instruction": program.listing()[now.pc],
        "cells": cells,
        "scratch": _scratchpad(machine, program, now),
    }


def _scratchpad(
    machine: SubleqMachine, program: Program, now: Snapshot
) -> list[tuple[str, str, str]]:
    """(field, its bits with the highest first, what they mean) when the cycle has computed."""
    with no_grad(), record(machine) as tape:
        machine(Tensor(now.state[None]))
    row, layout = tape["blocks.1.output"].numpy()[0, 0], machine.layout
    pc = from_bits(now.state[0, layout["pc"]])
    found = [("pc", _bits(now.state[0], layout, "pc"), f"instruction {_index(pc, program, 1)}")]
    for field in ("a", "b", "c", *_WORDS, "flag", "next"):
        number = int(from_bits(row[layout[field]], field in _WORDS))
        if field in _ADDRESSES:
            kind = ("cell", "instruction")[_ADDRESSES[field]]
            text = f"{kind} {_index(number, program, _ADDRESSES[field])}"
        elif field == "flag":
            text = "jump" if number else "go on"
        else:
            text = str(number)
        found.append((field, _bits(row, layout, field), text))
    return found


def _index(column: Any, program: Program, of_code: int) -> int:
    """The number of the cell or instruction that lies in a column."""
    return int(column) - 1 - of_code * len(program.cells)


def _bits(row: Any, layout: Layout, field: str) -> str:
    return "".join("1" if bit > 0 else "0" for bit in row[layout[field]][::-1])


_STYLE = """
.machine-steps{border:1px solid;border-radius:6px;padding:.6rem 1rem;margin:1rem 0}
.machine-steps>input{position:absolute;opacity:0;width:1px}
.machine-steps>section{display:none}
.machine-steps>input:checked+section{display:block}
.machine-steps>input:focus-visible+section{outline:2px solid;outline-offset:6px}
.machine-steps .turn{display:flex;justify-content:space-between;margin:0 0 .5rem;min-height:2rem}
.machine-steps label{cursor:pointer;border:1px solid;border-radius:4px;padding:.1rem .7rem}
.machine-steps p{margin:.2rem 0}
.machine-steps ul{display:flex;flex-wrap:wrap;gap:.4rem;list-style:none;padding:0;margin:.5rem 0}
.machine-steps li{border:1px solid;border-radius:4px;padding:0 .5rem;margin:0}
.machine-steps li.changed{border-width:3px}
.machine-steps .both{display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start}
.machine-steps code{color:inherit;background:none;border:0;padding:0}
.machine-steps pre{margin:0;line-height:1.35;overflow-x:auto;max-width:100%}
.machine-steps table{margin:0;width:auto;border-collapse:collapse}
.machine-steps :is(th,td){text-align:left;padding:0 .6rem 0 0;font-size:.9em}
@media print{.machine-steps>section{display:block;break-inside:avoid;margin-bottom:1rem}
.machine-steps .turn{display:none}}
"""
