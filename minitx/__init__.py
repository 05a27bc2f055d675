"""minitx: transformers you can run.

The package that the book builds. ``Tensor`` and ``functional`` compute, ``nn`` has Modules,
``models`` the transformers, ``training`` what trains them; each room is imported when it is used.
"""

import importlib
from typing import Any

from minitx import functional
from minitx.autograd import Tensor, enable_grad, no_grad, primitive
from minitx.autograd.functions import tensor
from minitx.autograd.transforms import (
    checkpoint,
    grad,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)

__version__ = "0.1.0"

_ROOMS = frozenset(
    "adapt backend catalogue channel_mixers checks compress connections data depth experiments "
    "incontext inference interpret models nn plot positions pretrained programs token_mixers "
    "tokens training".split()
)

__all__ = [
    "Tensor",
    "checkpoint",
    "enable_grad",
    "functional",
    "grad",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "primitive",
    "tensor",
    "value_and_grad",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"minitx.{name}")
    raise AttributeError(f"minitx has no {name!r}")
