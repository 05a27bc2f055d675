"""The one small object that travels down a model beside the tokens: who, where, what else.

Every token mixer, channel mixer, connection and depth is called as ``part(x, ctx)``. A part reads
what it needs from the Context and leaves the rest alone, so that a new idea that needs something
new (a grid, a second stream, a state) changes no part but itself.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.fused.panels import Panels
from minitx.autograd.tensor import Tensor
from minitx.autograd.tree import tree_map
from minitx.nn.module import Module


@dataclass(frozen=True)
class Source:
    """What to attend to when it is not ``x``: another stream, an encoder's output, a memory.

    tokens (B, S, D'); coords (B or 1, S, p); valid (B, S) boolean, True where a token is there;
    mask: a ``Mask`` or boolean array (..., T, S) of the pairs that may meet.
    """

    tokens: Tensor
    coords: Any = None
    valid: Any = None
    mask: Any = None

    def take(self, rows: Any) -> "Source":
        """Some rows of the batch, in the order given; a mask by arrays cannot be taken from."""
        coords, valid = take_coords(self.coords, rows), take_rows(self.valid, rows)
        return Source(take_rows(self.tokens, rows), coords, valid, self.mask)


@dataclass(frozen=True)
class Context:
    """Everything that a part may want to know beside its input; immutable, see ``replace``.

    coords: where the tokens are, an array (B or 1, T, p) of p numbers each.
    valid: boolean (B, T), True where a token is there and not padding; None when all are.
    mask: a ``Mask``, or a boolean array (..., T, T): which pairs may meet. True = may attend.
    source: what cross-attention attends to.
    grid: (rows, columns, ...) when the tokens fill a grid in row-major order.
    decoding: the states of the mixers, when the model runs step by step.
    rng: generator for parts that draw random numbers and own none.
    losses: (name, Tensor) pairs left by parts, for the objective to add.
    shared: what one part leaves for another within one pass, by name.

    The last two are shared by all Contexts that ``replace`` makes from this one.
    """

    coords: Any = None
    valid: Any = None
    mask: Any = None
    source: Source | None = None
    grid: tuple[int, ...] | None = None
    decoding: "Decoding | None" = None
    rng: np.random.Generator | None = None
    losses: list[tuple[str, Tensor]] = field(default_factory=list)
    shared: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, x: Tensor, **others: Any) -> "Context":
        """The Context of a sequence x (B, T, ...) whose tokens are at 0, 1, 2, ..."""
        return cls(coords=in_order(x, x.shape[1]), **others)

    def replace(self, **changes: Any) -> "Context":
        """The same Context with other values in some fields."""
        return replace(self, **changes)


def in_order(like: Any, length: int) -> Any:
    """Coordinates 0 ... length - 1 as an array (1, T, 1), on the device of ``like``."""
    xp = backend.namespace(like.data if isinstance(like, Tensor) else like)
    return xp.arange(length)[None, :, None]


class Decoding:
    """The states of a model's mixers between one call and the next.

    A mixer that is used several times in one pass (a looped layer) has a state for each use. A
    state is never changed, only replaced, so that ``copy`` is cheap and a copy can be gone back
    to. ``seen`` counts the tokens that each row has had so far: an array (B,). ``source`` is what
    cross-attention hears throughout. ``panels`` are the model's weights in the order that suits
    few rows, shared by all copies.
    """

    def __init__(
        self,
        batch: int,
        states: dict | None = None,
        seen: Any = None,
        source: Source | None = None,
        panels: Panels | None = None,
    ):
        self.batch, self.states, self.source = batch, dict(states or {}), source
        self.panels = Panels() if panels is None else panels
        self.seen = np.zeros(batch, np.int64) if seen is None else seen
        self._visits: dict[int, int] = {}

    def begin(self) -> None:
        """Say that a new pass through the model starts."""
        self._visits = {}

    def step(self, mixer: Any, x: Tensor, ctx: Context) -> Tensor:
        """Run ``mixer`` on the new tokens x (B, t, D) from the state that it left."""
        visit = self._visits.get(id(mixer), 0)
        self._visits[id(mixer)] = visit + 1
        key = (id(mixer), visit)
        if key not in self.states:
            self.states[key] = mixer.init_state(self.batch)
        y, self.states[key] = mixer.step(x, self.states[key], ctx)
        return y

    def copy(self) -> "Decoding":
        """The states as they are now; going on with one leaves the other as it is."""
        return Decoding(self.batch, self.states, self.seen, self.source, self.panels)

    def take(self, rows: Any) -> "Decoding":
        """The states of some rows of the batch, in the order given; a row may be taken twice."""
        states = {key: _take(state, rows) for key, state in self.states.items()}
        seen, source = take_rows(self.seen, rows), _take(self.source, rows)
        return Decoding(len(rows), states, seen, source, self.panels)


def _take(state: Any, rows: Any) -> Any:
    if hasattr(state, "take") and not backend.is_array(state):
        return state.take(rows)
    return tree_map(lambda leaf: take_rows(leaf, rows), state)


def take_rows(x: Any, rows: Any) -> Any:
    """Some rows of a Tensor or array, in the order given; None stays None."""
    if x is None:
        return None
    xp = backend.namespace(x.data if isinstance(x, Tensor) else x)
    return x[xp.asarray(rows)]


def take_coords(coords: Any, rows: Any) -> Any:
    """Some rows of coordinates (B or 1, T, p); what all rows share stays shared."""
    return coords if coords is None or coords.shape[0] == 1 else take_rows(coords, rows)


class TokenMixer(Module):
    """The slot "who hears whom": ``mixer(x, ctx)`` takes (B, T, D) to (B, T, D).

    A mixer that can run step by step defines ``init_state(batch)`` and ``step(x, state, ctx)``,
    where x (B, t, D) are the next t >= 1 tokens; it returns (y, the new state) and leaves the old
    state as it was. Steps one after the other give what one call gives for the whole sequence.
    When the Context is decoding, a call is a step, wherever in the model the mixer stands; a mixer
    whose step calls another mixer gives it a Context without ``decoding``.
    """

    def __call__(self, x: Tensor, ctx: Context | None = None) -> Any:
        if ctx is None or ctx.decoding is None:
            return super().__call__(x, ctx)
        return ctx.decoding.step(self, x, ctx)

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        raise TypeError(f"{type(self).__name__} does not define forward")

    def init_state(self, batch: int) -> Any:
        """The state before the first token."""
        raise TypeError(f"{type(self).__name__} cannot run step by step")

    def step(self, x: Tensor, state: Any, ctx: Context) -> tuple[Tensor, Any]:
        """The next tokens x (B, t, D), from ``state``: (y (B, t, D), the new state)."""
        raise TypeError(f"{type(self).__name__} cannot run step by step")
