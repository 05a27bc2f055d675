"""What the comparisons with PyTorch share: the same numbers on both sides, and how near is near."""

from typing import Any

import numpy as np
import torch

from minitx import Tensor
from minitx.nn import Module

DTYPES = {"float32": 1e-5, "float64": 1e-10}  # name -> tolerance


def draw(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """Standard normal numbers."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def ours(x: np.ndarray, grad: bool = True) -> Tensor:
    """A minitx Tensor of the dtype of ``x``."""
    return Tensor(x, dtype=x.dtype, requires_grad=grad and x.dtype.kind == "f")


def theirs(x: np.ndarray, grad: bool = True) -> torch.Tensor:
    """A PyTorch tensor of the dtype of ``x``."""
    found = torch.from_numpy(x.copy())
    return found.requires_grad_(grad and x.dtype.kind == "f")


def near(a: Any, b: Any, tolerance: float, what: str = "") -> None:
    """max|a - b| <= tolerance max(1, max|b|), the same shape, the same dtype."""
    a, b = np.asarray(a.detach() if isinstance(a, Tensor) else a), b.detach().numpy()
    assert a.shape == b.shape, f"{what}: {a.shape} and {b.shape}"
    assert a.dtype == b.dtype, f"{what}: {a.dtype} and {b.dtype}"
    if a.size:
        error, size = np.abs(a - b).max(), max(1.0, np.abs(b).max())
        assert error <= tolerance * size, f"{what}: {error / size:.2g}, allowed {tolerance:g}"


def copy_weights(module: Module, referee: torch.nn.Module, dtype: str) -> None:
    """Give both sides the same random weights, under the same names."""
    module.to(np.dtype(dtype))
    referee.to(getattr(torch, dtype))
    state = {
        name: draw(*value.shape, dtype=dtype, seed=i + 1) * 0.5
        for i, (name, value) in enumerate(module.state_dict().items())
    }
    module.load_state_dict(state)
    with torch.no_grad():
        held = {**dict(referee.named_parameters()), **dict(referee.named_buffers())}
        assert set(state) <= set(held), f"{set(state) - set(held)} are unknown to PyTorch"
        for name, value in state.items():
            held[name].copy_(torch.from_numpy(value).reshape(held[name].shape))


def same_gradients(module: Module, referee: torch.nn.Module, tolerance: float) -> None:
    """Every parameter has the gradient that PyTorch's of the same name has."""
    held, found = dict(referee.named_parameters()), dict(module.named_parameters())
    assert found, "there is nothing to compare"
    for name, parameter in found.items():
        near(parameter.grad, held[name].grad.reshape(parameter.shape), tolerance, name)
