"""The kernels on the CPU: their very source, compiled by g++ under ``emulate.h``, on the stand-in.

``Emulator`` is a ``Device`` like CuPy's, so what stands between a primitive and a kernel (the door,
the choice of tiles, the arguments) is run as well. Each launch is made twice, with the threads of
a block in one order and in the other, and must give the same bits both times.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minitx.backend.kernels.device import Device, source
from tests import standin
from tests.gpu.tape import Tape

HEADER = Path(__file__).with_name("emulate.h")
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(')


class Race(AssertionError):
    """A kernel gave other numbers when its threads ran in another order."""


class Emulator(Device):
    """Runs kernels on arrays of the stand-in; compiled ones are kept in ``folder``."""

    def __init__(self, folder: Path):
        super().__init__(standin.library)
        self.folder, self.launched = folder, []
        self.tape: Tape | None = None

    def record(self, step: Callable[[], Any], warm: int) -> Tape:
        """As CuPy's device does, with a tape in the place of a CUDA graph."""
        for _ in range(warm):
            step()
        self.capturing, self.tape = True, Tape()
        try:
            with self.tape.recording():
                self.tape.result = step()
            return self.tape
        finally:
            self.capturing, self.tape = False, None

    def compile(self, unit: str, name: str, options: list[str]) -> Any:
        """A function of (blocks, threads, arguments); raises what went wrong in it."""
        call = getattr(self._library(unit, options), f"emulate_{name}")
        call.restype = ctypes.c_char_p

        def run(blocks: tuple, threads: tuple, arguments: tuple) -> None:
            if self.tape is not None:
                self.tape.add(run, (blocks, threads, arguments))
            self.launched.append(name)
            shape = (ctypes.c_uint * 3)(*(*blocks, 1)[:2], *threads)
            arrays = [x for x in arguments if isinstance(x, standin.Array) and x.flags.writeable]
            before = [x._inside.copy() for x in arrays]
            results = []
            for backwards in (False, True):
                for x, old in zip(arrays, before, strict=True):
                    x._inside[...] = old
                held = [_held(x) for x in arguments]
                given = (ctypes.c_void_p * len(held))(*(address for address, _ in held))
                wrong = call(given, len(held), shape, backwards)
                if wrong:
                    raise RuntimeError(f"{name}: {wrong.decode()}")
                results.append([x._inside.tobytes() for x in arrays])
            if results[0] != results[1]:
                raise Race(f"{name} depends on the order in which its threads run")

        return run

    def _library(self, unit: str, options: list[str]) -> ctypes.CDLL:
        text = source(unit)
        doors = "".join(
            f'extern "C" const char* emulate_{name}(void** a, int n, const unsigned* s, bool b) '
            f"{{ return emulation::launch({name}, a, n, s, b); }}\n"
            for name in KERNEL.findall(text)
        )
        whole = f'#include "{HEADER}"\n{text}\n{doors}'
        key = hashlib.sha256((HEADER.read_text() + whole + " ".join(options)).encode()).hexdigest()
        made = self.folder / f"{unit}-{key[:16]}.so"
        if not made.exists():
            file = made.with_suffix(".cpp")
            file.write_text(whole)
            command = ["g++", "-std=c++17", "-O1", "-shared", "-fPIC", "-ffp-contract=off"]
            subprocess.run([*command, *options, str(file), "-o", str(made)], check=True)
        return ctypes.CDLL(str(made))


def _held(value: Any) -> tuple[int, Any]:
    """(address of an argument, what keeps it alive); an array is an argument of its address."""
    if isinstance(value, standin.Array):
        value = np.uint64(value._inside.ctypes.data)
    array = np.array(value)
    return array.ctypes.data, array
