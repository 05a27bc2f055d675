"""Activations by name, and the choice between a name and a function."""

from collections.abc import Callable

from minitx import functional as F
from minitx.autograd.tensor import Tensor

Activation = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Activation] = {
    "relu": F.relu,
    "squared_relu": lambda x: F.square(F.relu(x)),
    "gelu": F.gelu,
    "gelu_erf": lambda x: F.gelu(x, approximate="none"),
    "silu": F.silu,
    "tanh": F.tanh,
    "sigmoid": F.sigmoid,
}


def activation(chosen: str | Activation) -> Activation:
    """The function of that name ("gelu" is the tanh form), or the function itself."""
    if callable(chosen):
        return chosen
    if chosen not in ACTIVATIONS:
        raise ValueError(f"no activation {chosen!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[chosen]
