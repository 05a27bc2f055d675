"""The kernels compile for a GPU: with nvcc where it is, whether or not there is a GPU."""

import re
import shutil
import subprocess

import pytest

from minitx.backend.kernels.attention import _tile
from minitx.backend.kernels.device import FOLDER, macros, source

UNITS = sorted(file.stem for file in FOLDER.glob("*.cu"))
SIZES = {"attention": [(5, 3), (64, 64), (200, 96)], "other": [None]}
ALL = [
    (unit, dtype, size)
    for unit in UNITS
    for dtype in ("float32", "float64")
    for size in SIZES["attention" if unit.startswith("attention") else "other"]
]


@pytest.mark.parametrize(("unit", "dtype", "size"), ALL)
def test_a_kernel_compiles_for_a_gpu(unit, dtype, size, tmp_path):
    """Down to machine code, which is where too much shared memory is found out."""
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc to compile the kernels for a GPU")
    itemsize, sizes = int(dtype[-2:]) // 8, {}
    if size is not None:
        sizes = _tile(*size, itemsize, unit.endswith("backward"))
        if sizes is None:
            assert itemsize == 8 and max(size) > 100  # too wide: the plain form runs
            return
    file = tmp_path / f"{unit}.cu"
    file.write_text(source(unit))
    # 177: not every file needs all that every file begins with
    strict = ["-Werror", "all-warnings", "-diag-suppress", "177"]
    command = ["nvcc", "-arch=sm_80", "-cubin", "-Xptxas", "-v", *strict]
    made = subprocess.run(
        [*command, *macros(dtype, sizes), str(file), "-o", str(tmp_path / "out")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    for kernel in re.findall(r"__global__ void (\w+)\(", source(unit)):
        assert f"Compiling entry function '{kernel}'" in made.stderr
    spilled = sum(map(int, re.findall(r"(\d+) bytes spill stores", made.stderr)))
    assert not spilled or size == (200, 96), f"{spilled} bytes of registers spill"
