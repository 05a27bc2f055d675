"""Programs: transformers whose weights are written by hand, so that we know what they compute.

``SubleqMachine`` is a computer of one instruction. ``assemble`` reads its programs, ``run`` and
``step_through`` let it work, and ``interpret`` does the same in plain Python: its oracle.
"""

from minitx.programs.assembler import AssemblyError, assemble
from minitx.programs.frames import Frames
from minitx.programs.interpreter import interpret
from minitx.programs.layout import Layout, from_bits, to_bits
from minitx.programs.machine import SubleqMachine, copied, rounded
from minitx.programs.program import Program
from minitx.programs.run import NeverHalts, Snapshot, load_programs, read_state, run, step_through

__all__ = [
    "AssemblyError",
    "Frames",
    "Layout",
    "NeverHalts",
    "Program",
    "Snapshot",
    "SubleqMachine",
    "assemble",
    "copied",
    "from_bits",
    "interpret",
    "load_programs",
    "read_state",
    "rounded",
    "run",
    "step_through",
    "to_bits",
]
