"""``make bench DEVICE=cuda`` where there is no GPU, and what it does to the file where there is."""

import json
import subprocess
import sys

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks import cuda


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
