"""Activations by name. Any function of a Tensor is one: a name is only a way to write it down."""

from collections.abc import Callable

from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn.module import Module

ActivationFunction = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, ActivationFunction] = {
    "relu": F.relu,
    "squared_relu": lambda x: F.square(F.relu(x)),
    "gelu": F.gelu,
    "gelu_erf": lambda x: F.gelu(x, approximate="none"),
    "silu": F.silu,
    "tanh": F.tanh,
    "sigmoid": F.sigmoid,
    "softplus": F.softplus,
    "identity": lambda x: x,
}


def activation(chosen: str | ActivationFunction) -> ActivationFunction:
    """The function of that name ("gelu" is the tanh form), or the function itself.

    Raises ValueError for a name that is not known. ``F.glu(x, activation(...))`` is the gated unit
    with that activation: GEGLU, ReGLU, SwiGLU, bilinear.
    """
    if callable(chosen):
        return chosen
    if chosen not in ACTIVATIONS:
        raise ValueError(f"no activation {chosen!r}; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[chosen]


class Activation(Module):
    """An activation as a Module, so that ``record`` hears it: ``Activation("relu")``. Any shape."""

    def __init__(self, chosen: str | ActivationFunction):
        self.function = activation(chosen)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)
