"""The GPU by way of CuPy: kernels compiled by NVRTC, products by cuBLAS, steps as CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitx.backend.kernels.cublas import CuBLAS
from minitx.backend.kernels.device import Device, source


class CuPy(Device):
    """Kernels on CuPy's arrays; CuPy keeps on disk what has been compiled."""

    def __init__(self, cupy: Any):
        super().__init__(cupy)
        self.recording = False  # captured or about to be
        self._modules: dict[tuple, Any] = {}
        self._cublas: CuBLAS | None = None

    def compile(self, unit: str, name: str, options: list[str]) -> Any:
        """CuPy's function for a kernel, called with (blocks, threads, arguments)."""
        key = (unit, *options)
        if key not in self._modules:
            self._modules[key] = self.xp.RawModule(code=source(unit), options=tuple(options))
        return self._modules[key].get_function(name)

    def product(self, a: Any, b: Any) -> Any:
        """a @ b by CuPy, or by cuBLAS itself where CuPy refuses (in a capture) or has no choice."""
        chosen = self.recording or self.precision != "float32"
        if not chosen or not self.covers(a, b):
            return a @ b
        if self._cublas is None:
            self._cublas = CuBLAS(self.xp)
        return self._cublas.product(a, b, self.precision)

    def record(self, step: Callable[[], Any], warm: int) -> Recording:
        """Run ``step`` ``warm`` times on a stream of its own, then capture it there."""
        self.recording = True
        try:
            return Recording(self, step, warm)
        finally:
            self.recording = self.capturing = False


class Recording:
    """A CUDA graph: everything that a step asked of the device, to be asked again at once.

    Its memory comes from a pool of its own, which nobody else draws from: what the step allocates
    and frees would otherwise be given to others, and a replay would overwrite it. The stream is
    non-blocking, as a capture requires; the warm runs compile kernels and let cuBLAS allocate
    what it needs, neither of which may happen in a capture.
    """

    def __init__(self, device: CuPy, step: Callable[[], Any], warm: int):
        cuda = device.xp.cuda
        cuda.get_current_stream().synchronize()  # the weights are there
        self.pool, self.stream = cuda.MemoryPool(), cuda.Stream(non_blocking=True)
        with cuda.using_allocator(self.pool.malloc), self.stream:
            for _ in range(warm):
                step()
            self.stream.synchronize()
            device.capturing = True
            self.stream.begin_capture()
            try:
                self.result = step()
            finally:
                self.graph = self.stream.end_capture()
        self.graph.upload(self.stream)
        self.stream.synchronize()

    def launch(self) -> Any:
        """Run the step again, on the current stream; its result is where it was."""
        self.graph.launch()
        return self.result
