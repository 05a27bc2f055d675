"""The graph of a computation, and the two ways to sweep over it.

Every application of a primitive leaves a ``Node``. Nodes are numbered in the order of their
creation, and a parent is always older than its child: sorting by that number is a topological
sort, without recursion, however deep the graph. The reverse sweep carries cotangents from outputs
to inputs (vector-Jacobian products), the forward sweep carries tangents from inputs to outputs
(Jacobian-vector products). Both are written once and run in a *space*: on raw arrays, or on
Tensors, where the sweep is itself recorded and can be differentiated again.
"""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

_clock = itertools.count()  # its next() is atomic, so threads may build graphs side by side
_age = attrgetter("order")


class _Mode(threading.local):
    recording = True  # does an operation leave a node?
    naive = False  # do fused primitives run as their naive twins?
    replays = False  # may a derivative of a derivative come, which runs naive twins again?
    surroundings = ()  # what a computation that is run again later must be put back into


mode = _Mode()


class Node:
    """One application of a primitive, with what its rules need of the forward computation.

    ``parents`` holds, for each argument, the node that made it, or None for a constant.
    ``inputs`` and ``output`` are arrays, or () and None where no rule reads them.
    """

    __slots__ = (
        "order", "primitive", "parents", "inputs", "output", "params", "shape", "dtype",
        "residual",
    )  # fmt: skip

    def __init__(self, primitive, parents, inputs, output, params, shape, dtype, residual=None):
        self.order = next(_clock)
        self.primitive = primitive
        self.parents = parents
        self.inputs = inputs
        self.output = output
        self.params = params
        self.shape = shape
        self.dtype = dtype
        self.residual = residual

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    def release(self) -> None:
        """Let go of everything but shape and dtype."""
        self.inputs, self.output, self.residual, self.parents = (), None, None, RELEASED

    def __repr__(self) -> str:
        name = self.primitive.name if self.primitive else "leaf"
        return f"<{name} {self.shape} {self.dtype}>"


RELEASED: list = []  # the parents of a node that has been released


class Leaf(Node):
    """A node without parents (a parameter, an argument of ``grad``): what a sweep ends at.

    ``grad`` is the array that ``backward`` adds to. ``stale`` says that the numbers which graphs
    hold under this leaf have been overwritten since.
    """

    __slots__ = ("grad", "stale")

    def __init__(self, shape: tuple[int, ...], dtype: Any):
        super().__init__(None, (), (), None, None, shape, dtype)
        self.grad = None
        self.stale = False


def now() -> int:
    """A number between those of all nodes made before and all nodes made after."""
    return next(_clock)


class Part:
    """The cotangent of one output of a primitive that has several."""

    __slots__ = ("index", "value")

    def __init__(self, index: int, value: Any):
        self.index, self.value = index, value


def reachable(outputs: Iterable[Node], stops: frozenset | set = frozenset()) -> list[Node]:
    """All nodes that ``outputs`` depend on, oldest first; nothing beyond ``stops``."""
    seen = set(outputs)
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node in stops:
            continue
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=_age)


def reverse_sweep(
    space: Any, seeds: dict[Node, Any], stops: set[Node] | None = None, release: bool = False
) -> dict[Node, Any]:
    """Carry the cotangents ``seeds`` backwards; return those of ``stops`` (of all leaves if None).

    Only nodes that lead to a stop are visited. The result is a new dictionary and nothing is
    written to any node, so sweeps may run side by side in threads. With ``release`` each node
    lets go of what it held once it has been passed, so that the next can use that memory while
    it is still in cache; the graph cannot be swept again then.
    """
    nodes = reachable(seeds, stops or frozenset())
    wanted = _leading_to(nodes, stops) if stops is not None else None
    cotangents: dict[Node, Any] = {}
    for node, value in seeds.items():
        cotangents[node] = fit(space, value, node)
    for node in reversed(nodes):
        primitive = node.primitive
        if primitive is None:
            if node.stale:
                raise RuntimeError(_CHANGED.format(node))
            continue
        if stops is not None and node in stops:
            continue
        if node.parents is RELEASED:
            raise RuntimeError(_RELEASED.format(node))
        cotangent = cotangents.pop(node, None)
        if cotangent is None or (wanted is not None and node not in wanted):
            continue
        for parent, value in zip(
            node.parents, primitive.pull(space, node, cotangent, wanted), strict=True
        ):
            if parent is None or value is None or (wanted is not None and parent not in wanted):
                continue
            if type(value) is Part:
                held = cotangents.setdefault(parent, {})
                index, value = value.index, value.value
                held[index] = held[index] + value if index in held else value
                continue
            if value.shape != parent.shape or value.dtype != parent.dtype:
                value = fit(space, value, parent)
            held = cotangents.get(parent)
            cotangents[parent] = value if held is None else held + value
        if release:
            node.release()
    return cotangents


_RELEASED = (
    "backward() came a second time to {}, which let go of its numbers the first time: "
    "call backward(retain_graph=True) the first time, or run the forward computation again"
)
_CHANGED = (
    "a parameter {} was changed in place between the forward and the backward computation: "
    "its gradient would be wrong. Run the forward computation again after the change"
)


def _leading_to(nodes: list[Node], stops: set[Node]) -> set[Node]:
    wanted = set()
    for node in nodes:  # oldest first: parents are decided before their children
        if node in stops or any(parent in wanted for parent in node.parents):
            wanted.add(node)
    return wanted


def forward_sweep(space: Any, outputs: Iterable[Node], tangents: dict[Node, Any]) -> dict:
    """Carry ``tangents`` (of any nodes) forwards to everything that ``outputs`` depend on."""
    tangents = dict(tangents)
    for node in reachable(outputs, set(tangents)):
        if node in tangents or node.primitive is None:
            continue
        arriving = [tangents.get(parent) for parent in node.parents]
        if any(tangent is not None for tangent in arriving):
            tangents[node] = node.primitive.push(space, node, arriving)
    return tangents


def fit(space: Any, cotangent: Any, node: Node) -> Any:
    """Undo broadcasting and widening: give ``cotangent`` the shape and dtype of ``node``.

    What was copied along an axis on the way forwards is summed over that axis on the way back; a
    real input of a complex operation keeps the real part.
    """
    if node.shape is None:  # several outputs: a dictionary of cotangents
        return cotangent
    if cotangent.shape != node.shape:
        lead = len(cotangent.shape) - len(node.shape)
        stretched = tuple(
            axis
            for axis in range(len(cotangent.shape))
            if axis < lead or (node.shape[axis - lead] == 1 and cotangent.shape[axis] != 1)
        )
        cotangent = space.reshape(space.sum(cotangent, axis=stretched), shape=node.shape)
    if cotangent.dtype != node.dtype:
        if cotangent.dtype.kind == "c" and node.dtype.kind != "c":
            cotangent = space.real(cotangent)
        cotangent = space.astype(cotangent, dtype=node.dtype)
    return cotangent


@contextmanager
def no_grad() -> Iterator[None]:
    """Within the block, operations leave no graph behind: nothing there can be differentiated."""
    before, mode.recording = mode.recording, False
    try:
        yield
    finally:
        mode.recording = before


@contextmanager
def enable_grad() -> Iterator[None]:
    """Within the block, operations are recorded, even inside ``no_grad``."""
    before, mode.recording = mode.recording, True
    try:
        yield
    finally:
        mode.recording = before


@contextmanager
def surrounded_by(enter: Callable[[], Any]) -> Iterator[None]:
    """Enter ``enter()``, here and around every recomputation of what is computed in the block."""
    before, mode.surroundings = mode.surroundings, (*mode.surroundings, enter)
    try:
        with enter():
            yield
    finally:
        mode.surroundings = before


@contextmanager
def replayable() -> Iterator[None]:
    """Within the block, fused primitives keep their arguments, so that their twins can be run."""
    before, mode.replays = mode.replays, True
    try:
        yield
    finally:
        mode.replays = before


@contextmanager
def naive_twins() -> Iterator[None]:
    """Within the block, every fused primitive runs as the composition that explains it."""
    before, mode.naive = mode.naive, True
    try:
        yield
    finally:
        mode.naive = before
