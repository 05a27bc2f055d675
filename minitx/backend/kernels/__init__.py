"""Kernels for an NVIDIA GPU: what CuPy alone is slow at, in CUDA C++, compiled at first use.

Each ``.cu`` file here is one idea, forwards and backwards, and stays a file of its own so that the
CUDA compiler, an editor and the tests (which also compile it for the CPU) read the very same text.
The Python file beside it says how it is launched: ``softmax(device, x, axis)`` gives what the fused
primitive's own forward computation gives, or None for arguments that the kernel does not cover.

Nothing here is imported before a device is in use. ``minitx.autograd.fused.device`` is the door.
"""

from minitx.backend.kernels.cuda import CuPy
from minitx.backend.kernels.device import Device, source

__all__ = ["CuPy", "Device", "source"]
