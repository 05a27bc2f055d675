"""``minitx info``: what runs here."""

import argparse
import platform
from importlib import metadata

import numpy

from minitx import __version__
from minitx.backend.threads import cores

_OPTIONAL = ("matplotlib", "tqdm", "safetensors", "scikit-learn", "torch", "jax", "cupy-cuda13x")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(args: argparse.Namespace) -> int:
    """Print versions, BLAS, cores and device, a line each."""
    for name, value in describe().items():
        print(f"{name:<14} {value}")
    return 0


def describe() -> dict[str, str]:
    """What a reader should send along with a measurement or a report of an error."""
    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found = {
        "minitx": __version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "NumPy": numpy.__version__,
        "BLAS": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": str(cores()),
        "device": device(),
    }
    for package in _OPTIONAL:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    try:
        with open("/proc/cpuinfo") as lines:
            names = [
                line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
            ]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"


def device() -> str:
    """ "cuda" with the GPU's name if CuPy finds one, else "cpu"."""
    try:
        import cupy

        name = cupy.cuda.runtime.getDeviceProperties(0)["name"]
        return f"cuda ({name.decode() if isinstance(name, bytes) else name})"
    except Exception:  # no CuPy, no driver, no GPU: whatever the reason, there is none to use
        return "cpu"
