"""Peak memory of training at size L: a process each, from its imports to its third step."""

import ctypes
import gc
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATUS = Path("/proc/self/status")


def _resident(field: str) -> int:
    """Bytes that /proc says are, or at most were, in memory."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def _left() -> int:
    """Bytes in memory, once what has been freed is given back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _resident("VmRSS")


def _child(who: str) -> None:
    from tests.benchmarks import training_step

    size = training_step.SIZES["L"]
    if who == "minitx":
        training_step.minitx_step(training_step.SIZES["S"])[0]()  # imports do not count
        start = _left()
        step, _ = training_step.minitx_step(size)
    else:
        import torch

        torch.set_num_threads(1)
        small = training_step.minitx_model(training_step.SIZES["S"], "tanh")
        training_step.torch_step(training_step.SIZES["S"], small)()
        model = training_step.minitx_model(size, "tanh")  # where the weights come from
        start = _left()
        step = training_step.torch_step(size, model)
    for _ in range(3):
        step()
    print(_resident("VmHWM") - start)


def peak(who: str) -> int:
    """Bytes that weights, optimiser and three steps take at most, in "minitx" or "torch"."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", who]
    keep = {} if who == "minitx" else {"MINITX_KEEP_MEMORY": "0"}  # its allocator as it comes
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **keep}, check=True, capture_output=True
    )
    return int(done.stdout)


if __name__ == "__main__":
    _child(sys.argv[1])
