"""What runs kernels in tests: a real GPU where there is one, the emulator where g++ is."""

import shutil
import sys
import warnings

import numpy as np
import pytest

from minitx import backend
from minitx.autograd.fused import device as doors
from minitx.autograd.spaces import _RAW
from minitx.backend import arrays
from tests import standin as stand_in_arrays
from tests.gpu.emulator import Emulator


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """The folder of kernels that have been compiled for the CPU in this run."""
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def emulated(compiled):
    """The kernels, run on the CPU, behind the doors of the stand-in's arrays."""
    if sys.platform != "linux" or shutil.which("g++") is None:
        pytest.skip("no g++ on Linux to compile the kernels for the CPU")
    backend.register_namespace(stand_in_arrays.Array, stand_in_arrays.library)
    found = Emulator(compiled)
    _RAW.pop(id(stand_in_arrays.library), None)  # it may know the forms without kernels
    backend.register_kernels(stand_in_arrays.Array, found)
    yield found
    arrays._KERNELS.pop(stand_in_arrays.Array)
    doors.close_doors(stand_in_arrays.library)
    _RAW.pop(id(stand_in_arrays.library), None)


@pytest.fixture
def cupy():
    """CuPy, where it is installed and finds a GPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is no CUDA; so do we, below
        found = pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        found.cuda.runtime.getDeviceCount()
        backend.move(np.zeros(1), "cuda")
    except found.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no GPU: {error}")
    return found
