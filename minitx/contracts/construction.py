"""What a construction owes: weights by hand, or a closed form, that compute just what is said."""

import numpy as np

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts import common
from minitx.contracts.battery import Contract, Variant, changed, distance, same, tokens

CONSTRUCTION = Contract("construction", (), list(common.COMMON[1:]))


class Construction(nn.Module):
    """Base: ``forward(x)`` computes with the package, ``oracle(x)`` the same in plain NumPy."""

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define forward")

    def oracle(self, x: np.ndarray) -> np.ndarray:
        """What ``forward`` is to give for x (B, T, D), by another way."""
        raise TypeError(f"{type(self).__name__} does not define oracle")


@CONSTRUCTION.check
def equals_its_oracle(variant: Variant) -> None:
    """In float64 it is exact, for several draws of itself and of its input."""
    for seed in range(5):
        module, x = variant.instance(seed), tokens(seed=seed + 20)
        same(module(x).numpy(), module.oracle(x.numpy()), 1e-9, f"the oracle, draw {seed}")


@CONSTRUCTION.check
def holds_in_float32(variant: Variant) -> None:
    """In float32 it is right to 1e-4, and stays float32."""
    module, x = variant.instance(dtype=np.float32), tokens(dtype=np.float32)
    y = module(x)
    assert y.dtype == np.float32, f"expected float32, got {y.dtype}"
    same(y.numpy(), module.oracle(x.numpy().astype(np.float64)), 1e-4, "the oracle in float32")


@CONSTRUCTION.check
def holds_at_any_length(variant: Variant) -> None:
    """At length 1, and at lengths off any block size."""
    module = variant.instance()
    for length in (1, 2, 31, 65, 130):
        x = tokens(length)
        same(module(x).numpy(), module.oracle(x.numpy()), 1e-9, f"the oracle at length {length}")


@CONSTRUCTION.check
def says_something(variant: Variant) -> None:
    """Another input has another result: the agreement is not that of two constants."""
    module, x = variant.instance(), tokens()
    other = changed(x, np.s_[:])
    found = distance(module.oracle(other.numpy()), module.oracle(x.numpy()))
    assert found > 1e-3, f"the oracle hardly changes with its input: {found:.2g}"
