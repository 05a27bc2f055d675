"""How a sublayer is joined to the stream of tokens that runs past it."""

from collections.abc import Callable
from typing import Any

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context


class Connection(nn.Module):
    """The slot "how is it added?": a connection owns its state.

    ``begin(x)`` makes the state from the tokens; ``apply(state, sublayer, norm, ctx)`` takes it
    past one sublayer, a callable ``sublayer(x, ctx)``; ``end(state)`` gives the tokens back. A
    Block does this for its sublayers, a Stack for its blocks. ``norms`` says which norms a
    sublayer needs; what it returns comes back as ``norm``.
    """

    def norms(self, norm: Callable[[], nn.Module]) -> Any:
        """The norm, or norms, of one sublayer; ``norm()`` makes a new one."""
        return norm()

    def begin(self, x: Tensor) -> Any:
        return x

    def apply(self, state: Any, sublayer: Callable, norm: Any, ctx: Context) -> Any:
        raise TypeError(f"{type(self).__name__} does not define apply")

    def end(self, state: Any) -> Tensor:
        return state
