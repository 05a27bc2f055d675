"""``make bench DEVICE=cuda`` where there is no GPU, and what it does to the file where there is."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks import cuda, harness


def test_without_a_gpu_it_says_so_in_a_line(tmp_path):
    if cuda.why_not() is None:
        pytest.skip("there is a GPU")
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks", "--device", "cuda"]
    ran = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], cwd=bench.ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2 and not ran.stdout and not (tmp_path / "out").exists()
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("make bench DEVICE=cuda needs an NVIDIA GPU, CuPy and PyTorch")


def test_each_device_keeps_the_rows_of_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "machine", lambda: {"cores": "2"})
    monkeypatch.setattr(cuda, "machine", lambda: {"device": "some GPU"})
    out = tmp_path / "bench.json"
    bench.write(out, [{"work": "old"}], False)
    bench.write(out, [{"work": "step", "device": "some GPU"}], True)
    bench.write(out, [{"work": "new"}], False)
    assert json.loads(out.read_text()) == {
        "machine": {"cores": "2"},
        "gpu": {"device": "some GPU"},
        "results": [{"work": "new"}, {"work": "step", "device": "some GPU"}],
    }


@pytest.fixture
def measured(monkeypatch):
    """The rows of a GPU on which every program takes a time that is known."""
    seconds = {"minitx": 3.0, "torch": 4.0, "torch compiled": 2.0, "torch compiled, graph": 1.0,
               "products alone": 2.0}  # fmt: skip
    monkeypatch.setattr(cuda, "machine", lambda: {"device": "some GPU"})
    monkeypatch.setattr(cuda, "GPUPlayer", lambda *_: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(harness, "alternate", lambda players, _: {w: [seconds[w]] for w in players})
    return list(cuda.measure([], 1.0))


def test_a_row_says_whom_it_is_measured_against(measured):
    """Steps against PyTorch eager, even where a compiled form is faster: all ratios are told."""
    steps = [row for row in measured if row["work"].startswith("training step")]
    shares = [row for row in measured if row not in steps]
    assert len(steps) == 6 and len(shares) == 3
    for row in steps:
        assert (row["against"], row["ratio"]) == ("torch", 0.75)
        told = {"torch": 0.75, "torch compiled": 1.5, "torch compiled, graph": 3.0}
        assert row["ratio_to"] == told and row["target"] in (1.0, None)
    for row in shares:
        assert (row["against"], row["ratio"]) == ("products alone", 1.5)


def test_the_page_says_so_too(measured, monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(bench.ROOT / "book" / "_ext")
    from minitx_book.bench import table

    on_cpu = {"work": "step", "threads": 1, "clock": "cpu", "minitx_ms": 1.0, "ratio": 0.5,
              "referees_ms": {"torch": 2.0, "jax": 3.0}, "target": None}  # fmt: skip
    *_, cpu, gpu = table({"machine": {}, "results": [on_cpu, measured[0]]})
    assert cpu.endswith("| torch 2; jax 3 ms | 0.50 |  |")
    referees = "torch 4000; torch compiled 2000; torch compiled, graph 1000 ms"
    assert gpu.endswith(f"| {referees} | 0.75 to torch | 1.00 met |")


@pytest.mark.parametrize("mode", [None, "default", "reduce-overhead"])
def test_each_referee_is_compiled_in_its_own_way(mode, monkeypatch):
    """Here on the CPU, where "cuda" moves nothing and compiling is noted, not done."""
    torch = pytest.importorskip("torch")
    found = []
    monkeypatch.setattr(torch.nn.Module, "cuda", lambda self: self)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    monkeypatch.setattr(torch, "compile", lambda model, mode: found.append(mode) or model)
    size = dict(num_layers=1, d_model=12, num_heads=3, length=5, batch=2)
    cuda.torch_step(size, mode)[0]()
    assert found == ([] if mode is None else [mode])
