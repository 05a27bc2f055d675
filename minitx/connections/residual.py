"""The residual stream, and where its norm stands.

The state is (x, i): the stream and the number of the sublayer that comes next. How an update is
added is an object of its own (``additions``), one per sublayer; without one it is x + u.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.connections.connection import Connection
from minitx.context import Context


class Stream(NamedTuple):
    """The tokens x (B, T, D), and how many sublayers they have passed."""

    x: Tensor
    passed: int = 0


class Residual(Connection):
    """x + f(x), with no norm. Base of those that have one.

    additions: for each sublayer the Module that adds its update; none means plain addition.
    dropout: applied to every update before it is added.
    """

    def __init__(self, *additions: nn.Module, dropout: nn.Module | None = None):
        self.additions = list(additions)
        self.dropout = dropout

    def norms(self, norm: Callable[[], nn.Module]) -> Any:
        return None

    def begin(self, x: Tensor) -> Stream:
        return Stream(x)

    def end(self, state: Stream) -> Tensor:
        return state.x

    def apply(self, state: Stream, sublayer: Callable, norm: Any, ctx: Context) -> Stream:
        return self.add(state, sublayer(state.x, ctx))

    def add(self, state: Stream, update: Tensor) -> Stream:
        """The stream with one more update in it."""
        if self.dropout is not None:
            update = self.dropout(update)
        if not self.additions:
            return Stream(state.x + update, state.passed + 1)
        if state.passed >= len(self.additions):
            raise ValueError(f"expected {len(self.additions)} sublayers, one for each addition")
        return Stream(self.additions[state.passed](state.x, update), state.passed + 1)


class PreNorm(Residual):
    """x + f(norm(x)): the stream itself is never normalised.

    Source: Xiong et al., "On Layer Normalization in the Transformer Architecture" (2020).
    """

    def norms(self, norm: Callable[[], nn.Module]) -> nn.Module:
        return norm()

    def apply(self, state: Stream, sublayer: Callable, norm: Any, ctx: Context) -> Stream:
        return self.add(state, sublayer(norm(state.x), ctx))


class PostNorm(PreNorm):
    """norm(x + f(x)), as in the first transformer; norm(a x + f(x)) with ``stream_scale`` a.

    Source: Vaswani et al., "Attention Is All You Need" (2017). With a > 1: Wang et al., "DeepNet"
    (2022): alpha = stream_scale.
    """

    def __init__(self, *additions: nn.Module, dropout: Any = None, stream_scale: float = 1.0):
        super().__init__(*additions, dropout=dropout)
        self.stream_scale = stream_scale

    def apply(self, state: Stream, sublayer: Callable, norm: Any, ctx: Context) -> Stream:
        update = sublayer(state.x, ctx)
        if self.stream_scale != 1:
            state = state._replace(x=state.x * self.stream_scale)
        x, passed = self.add(state, update)
        return Stream(norm(x), passed)


class OutputNorm(PreNorm):
    """x + norm(f(x)): what a sublayer says is normalised, what it hears is not.

    Source: Liu et al., "Swin Transformer V2" (2022), there called res-post-norm.
    """

    def apply(self, state: Stream, sublayer: Callable, norm: Any, ctx: Context) -> Stream:
        return self.add(state, norm(sublayer(state.x, ctx)))


class SandwichNorm(Residual):
    """x + norm(f(norm(x))): a norm before the sublayer and one after.

    Source: Ding et al., "CogView" (2021).
    """

    def norms(self, norm: Callable[[], nn.Module]) -> dict[str, nn.Module]:
        return {"before": norm(), "after": norm()}

    def apply(self, state: Stream, sublayer: Callable, norm: Any, ctx: Context) -> Stream:
        return self.add(state, norm["after"](sublayer(norm["before"](state.x), ctx)))
