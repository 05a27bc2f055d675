"""The emulator finds the mistakes that it is there to find."""

import numpy as np
import pytest

from tests import standin
from tests.gpu import emulator

KERNELS = """
extern "C" __global__ void good(Real* y, const Real* x, long long n, double factor) {
  __shared__ Real held[64];
  held[threadIdx.x] = factor * x[threadIdx.x];
  __syncthreads();
  y[blockIdx.x * n + threadIdx.x] = held[n - 1 - threadIdx.x];
}
extern "C" __global__ void no_barrier(Real* y, const Real* x, long long n, double factor) {
  __shared__ Real held[64];
  held[threadIdx.x] = factor * x[threadIdx.x];
  y[blockIdx.x * n + threadIdx.x] = held[n - 1 - threadIdx.x];
}
extern "C" __global__ void unfilled(Real* y, const Real* x, long long n, double factor) {
  __shared__ Real held[65];
  held[threadIdx.x] = factor * x[threadIdx.x];
  __syncthreads();
  y[blockIdx.x * n + threadIdx.x] = held[n - threadIdx.x];
}
extern "C" __global__ void leaves(Real* y, const Real* x, long long n, double factor) {
  if (threadIdx.x == 3) return;
  __syncthreads();
  y[threadIdx.x] = x[threadIdx.x];
}
extern "C" __global__ void half_a_warp(Real* y, const Real* x, long long n, double factor) {
  if (threadIdx.x % 32 < 16) y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 1);
}
extern "C" __global__ void sums(Real* y, const Real* x, long long n, double factor) {
  y[blockIdx.x * n + threadIdx.x] = block_sum(x[threadIdx.x]) + block_max(-x[threadIdx.x]);
}
"""


@pytest.fixture
def run(emulated, monkeypatch):
    begin = emulator.source("softmax").split("// Softmax")[0]
    monkeypatch.setattr(emulator, "source", lambda unit: begin + KERNELS)

    def launch(name, blocks=2, threads=64):
        x, y = (standin.array(np.arange(n), np.float32) for n in (threads, blocks * threads))
        emulated.launch(f"mistakes/{name}", x.dtype, blocks, threads, y, x, threads, 2.0)
        return y.get().reshape(blocks, threads)

    return launch


def test_it_runs_what_is_right(run):
    np.testing.assert_array_equal(run("good"), [2 * np.arange(64)[::-1]] * 2)
    np.testing.assert_array_equal(run("sums"), np.full((2, 64), 2016))


def test_a_missing_barrier_is_found(run):
    with pytest.raises(emulator.Race, match="no_barrier depends on the order"):
        run("no_barrier")


def test_shared_memory_that_nobody_filled_is_found(run):
    assert np.isnan(run("unfilled")[:, 0]).all()


def test_threads_that_do_not_come_are_found(run):
    with pytest.raises(RuntimeError, match="a thread left while others wait"):
        run("leaves")
    with pytest.raises(RuntimeError, match="wait for others that never come"):
        run("half_a_warp")
    with pytest.raises(RuntimeError, match="a multiple of 32 threads"):
        run("good", threads=33)
