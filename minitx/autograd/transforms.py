"""Derivatives of functions: grad, vjp, jvp, hvp, jacobian, and recomputation.

They take a function of trees of Tensors and give another function, as in JAX. Inside, the
arguments become *gates*: fresh nodes at which a sweep ends. If the result also depends on
something beyond the gates that can be differentiated (an outer ``grad``, a parameter), the sweep
runs on Tensors and is recorded, so that derivatives of derivatives come out right of themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.graph import (
    Leaf,
    Node,
    enable_grad,
    forward_sweep,
    mode,
    now,
    reachable,
    replayable,
    reverse_sweep,
)
from minitx.autograd.primitive import GATE, PART, Primitive
from minitx.autograd.record import listener
from minitx.autograd.spaces import TRACED, raw
from minitx.autograd.tensor import Tensor, wrap, wrap_constant
from minitx.autograd.tree import flatten, tree_map


def _gates(tensors: list[Tensor]) -> list[Tensor]:
    """The same numbers behind fresh nodes; a Tensor that is part of a graph stays part of it."""
    found = []
    for tensor in tensors:
        if tensor.dtype.kind not in "fc":
            raise TypeError(f"can differentiate only real or complex Tensors, got {tensor.dtype}")
        node = tensor.node
        if node is None or not mode.recording:
            found.append(wrap(tensor.data, Leaf(tensor.shape, tensor.dtype)))
        else:
            gate = Node(GATE, [node], (), None, {}, tensor.shape, tensor.dtype)
            found.append(wrap(tensor.data, gate))
    return found


def _is_open(outputs: list[Node], gates: set[Node]) -> bool:
    """Whether something beyond the gates can be differentiated as well."""
    if not mode.recording:
        return False
    return any(
        (isinstance(node, Leaf) and node not in gates)
        or (node in gates and node.primitive is not None)
        for node in reachable(outputs, gates)
    )


class _Traced:
    """A function run once on gates: its outputs, ready to be swept over."""

    def __init__(self, function: Callable, args: tuple, has_aux: bool = False):
        leaves, build = flatten(args)
        self.build = build
        self.inputs = [wrap_constant(leaf) for leaf in leaves]
        if not self.inputs:
            raise ValueError("expected at least one Tensor to differentiate with respect to")
        self.gates = _gates(self.inputs)
        with enable_grad(), replayable():
            result = function(*build(self.gates))
        self.aux = None
        if has_aux:
            result, self.aux = result
        outputs, self.rebuild = flatten(result)
        self.outputs = [wrap_constant(output) for output in outputs]
        nodes = [output.node for output in self.outputs if output.node is not None]
        self.stops = {gate.node for gate in self.gates}
        self.space = (
            TRACED if _is_open(nodes, self.stops) else raw(backend.namespace(self.gates[0].data))
        )

    def value(self) -> Any:
        """The function's result, cut from the gates unless an outer derivative wants it."""
        keep = self.space is TRACED
        return self.rebuild([out if keep else out.detach() for out in self.outputs])

    def pull(self, cotangents: list) -> list[Tensor]:
        seeds: dict[Node, Any] = {}
        entered = self._enter(cotangents, self.outputs)
        for output, given in zip(self.outputs, entered, strict=True):
            if output.node is None:
                continue
            held = seeds.get(output.node)
            seeds[output.node] = given if held is None else held + given
        with enable_grad() if self.space is TRACED else _nothing():
            found = reverse_sweep(self.space, seeds, self.stops)
        return [
            self._leave(found[gate.node]) if gate.node in found else f.zeros_like(gate.detach())
            for gate in self.gates
        ]

    def push(self, tangents: list) -> list[Tensor]:
        entered = self._enter(tangents, self.gates)
        starts = {gate.node: given for gate, given in zip(self.gates, entered, strict=True)}
        nodes = [output.node for output in self.outputs if output.node is not None]
        found = forward_sweep(self.space, nodes, starts)
        return [
            self._leave(found[out.node]) if out.node in found else f.zeros_like(out.detach())
            for out in self.outputs
        ]

    def _enter(self, directions: list, likes: list[Tensor]) -> list:
        """Tangents or cotangents, as the sweep wants them: arrays, or Tensors."""
        given = [wrap_constant(one) for one in directions]
        shapes, wanted = [one.shape for one in given], [like.shape for like in likes]
        if shapes != wanted:
            raise ValueError(f"expected (co)tangents of shapes {wanted}, got {shapes}")
        given = [
            f.astype(one, like.dtype) if like.dtype.kind in "fc" else one
            for one, like in zip(given, likes, strict=True)
        ]
        if mode.recording and any(one.node is not None for one in given):
            self.space = TRACED  # the direction itself can be differentiated
        return given if self.space is TRACED else [one.data for one in given]

    def _leave(self, found: Any) -> Tensor:
        if isinstance(found, Tensor):
            return found
        return wrap(backend.namespace(found).asarray(found), None)  # NumPy's scalars are no arrays


class _nothing:
    def __enter__(self):
        return None

    def __exit__(self, *_):
        return None


def value_and_grad(function: Callable, has_aux: bool = False) -> Callable:
    """The function that returns (value, gradient with respect to the first argument).

    ``function(x, *rest)`` returns one number; ``x`` is a Tensor or a tree of them, and the
    gradient has its structure. With ``has_aux`` it returns (number, anything), and the result is
    ((value, anything), gradient).
    """

    def derivative(x: Any, *rest: Any) -> tuple[Any, Any]:
        traced = _Traced(lambda y: function(y, *rest), (x,), has_aux)
        if len(traced.outputs) != 1 or traced.outputs[0].size != 1:
            shapes = ", ".join(str(out.shape) for out in traced.outputs)
            raise ValueError(f"grad expected a function that returns one number, got {shapes}")
        gradients = traced.pull([f.ones_like(traced.outputs[0].detach())])
        value = traced.value()
        if has_aux and traced.space is not TRACED:
            traced.aux = tree_map(lambda x: x.detach() if type(x) is Tensor else x, traced.aux)
        return ((value, traced.aux) if has_aux else value), traced.build(gradients)[0]

    return derivative


def grad(function: Callable, has_aux: bool = False) -> Callable:
    """The gradient of ``function`` with respect to its first argument.

    >>> grad(lambda x: (x * x).sum())(Tensor([1.0, 2.0]))
    Tensor([2., 4.])
    """

    def derivative(x: Any, *rest: Any) -> Any:
        value, gradient = value_and_grad(function, has_aux)(x, *rest)
        return (gradient, value[1]) if has_aux else gradient

    return derivative


def vjp(function: Callable, *args: Any) -> tuple[Any, Callable]:
    """(value, pull): ``pull(u)`` is u's product with the conjugate transpose of the Jacobian.

    ``pull`` gives one tree per argument, and may be called again and again.
    """
    traced = _Traced(function, args)

    def pull(cotangent: Any) -> tuple:
        return tuple(traced.build(traced.pull(flatten(cotangent)[0])))

    return traced.value(), pull


def jvp(function: Callable, args: tuple, tangents: tuple) -> tuple[Any, Any]:
    """(value, the derivative of ``function`` at ``args`` along ``tangents``)."""
    traced = _Traced(function, tuple(args))
    pushed = traced.push(flatten(tuple(tangents))[0])
    return traced.value(), traced.rebuild(pushed)


def hvp(function: Callable, x: Any, direction: Any) -> Any:
    """The Hessian of ``function`` (which returns one number) at ``x``, times ``direction``.

    Forward mode over reverse mode: the cost of a few gradients, whatever the size of ``x``.
    """
    return jvp(grad(function), (x,), (direction,))[1]


def jacobian(function: Callable, x: Any) -> Any:
    """All derivatives of ``function`` at ``x``: shape (*output, *x.shape).

    ``x`` and the result may be trees; then the Jacobian is the result's tree, whose leaves are
    trees like ``x``. A complex result of a real ``x`` has a complex Jacobian; a complex ``x``
    wants a holomorphic function (of another, J t has the right real part alone).
    """
    traced = _Traced(function, (x,))
    blocks = [_jacobian_of(traced, i) for i in range(len(traced.outputs))]
    return traced.rebuild([traced.build(block)[0] for block in blocks])


def _jacobian_of(traced: _Traced, chosen: int) -> list[Tensor]:
    """The derivatives of one output with respect to every input, a pull for each of its entries."""
    output, gates = traced.outputs[chosen], traced.gates
    xp = backend.namespace(output.data)

    def row(i: int, unit: complex) -> list[Tensor]:
        seeds = [xp.zeros(out.shape, out.dtype) for out in traced.outputs]
        seeds[chosen].reshape(-1)[i] = unit
        return [f.conj(pulled) for pulled in traced.pull([wrap(seed, None) for seed in seeds])]

    rows = [row(i, 1) for i in range(output.size)]
    if output.dtype.kind == "c":  # a real input keeps the real part: J is found in two halves
        imaginary = [row(i, 1j) for i in range(output.size)]
        rows = [
            [a if gate.dtype.kind == "c" else a + 1j * b for a, b, gate in zip(*pair, gates)]
            for pair in zip(rows, imaginary, strict=True)
        ]
    return [
        f.reshape(f.stack(column), (*output.shape, *gate.shape))
        if (column := [one[j] for one in rows])
        else wrap(xp.zeros((*output.shape, *gate.shape), gate.dtype), None)
        for j, gate in enumerate(gates)
    ]


# ---------------------------------------------------------------------------- recomputation


def checkpoint(function: Callable, *args: Any, rng: np.random.Generator | None = None) -> Any:
    """``function(*args)``, whose intermediate results are thrown away and computed again later.

    Backward needs them, and computes them then: less memory for one more forward computation.
    Parameters that ``function`` uses beyond ``args`` get their gradients too. A function that
    draws random numbers is given its generator as ``rng``, so that the same numbers are drawn.
    Under ``record`` nothing is thrown away. Raises RuntimeError, when it is computed again, if
    the second result is not the first.
    """
    if not mode.recording or listener.tape is not None:
        return function(*args)
    leaves, build = flatten(args)
    state = backend.get_state(rng) if rng is not None else None
    surroundings, start = mode.surroundings, now()
    gates = [_gate_of(leaf) for leaf in leaves]
    result = function(*build(gates))
    outputs, rebuild = flatten(result)
    tracked = [i for i, out in enumerate(outputs) if isinstance(out, Tensor) and out.node]
    if not tracked:
        return result
    own = {gate.node for gate in gates if isinstance(gate, Tensor) and gate.node is not None}
    reached = reachable([outputs[i].node for i in tracked], own | _before(outputs, tracked, start))
    outside = [node for node in reached if node.order < start]

    def again(twice: bool) -> tuple[list, list]:
        fresh = [_gate_of(leaf) for leaf in leaves]
        with ExitStack() as around:
            for enter in surroundings:
                around.enter_context(enter())
            if rng is not None:
                around.callback(backend.set_state, rng, backend.get_state(rng))
                backend.set_state(rng, state)
            around.enter_context(enable_grad())
            if twice:
                around.enter_context(replayable())
            replayed = flatten(function(*build(fresh)))[0]
        replayed = [replayed[i] for i in tracked]
        _expect_same(values, [out.data for out in replayed])
        return fresh, replayed

    inside = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.node is not None]
    parents = [leaf.node for leaf in inside] + outside
    values = tuple(outputs[i].data for i in tracked)
    whole = Node(_Recomputed(again, leaves, outside), parents, (), values, {}, None, None)
    for i, value in zip(tracked, values, strict=True):
        part = Node(PART, (whole,), (), None, {"index": tracked.index(i)}, value.shape, value.dtype)
        outputs[i] = wrap(value, part)
    return rebuild(outputs)


def _expect_same(first: tuple, second: list) -> None:
    for a, b in zip(first, second, strict=True):
        xp = backend.namespace(a)
        if not xp.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True):
            raise RuntimeError(
                "checkpoint computed its function again and found another result: give it the "
                "generator that the function draws from as rng=, and change nothing in between"
            )


def _gate_of(value: Any) -> Any:
    if not isinstance(value, Tensor) or value.node is None:
        return value
    return wrap(value.data, Node(GATE, [value.node], (), None, {}, value.shape, value.dtype))


def _before(outputs: list, tracked: list, start: int) -> set[Node]:
    """The nodes older than ``start`` at which a search from the outputs must end."""
    seen, stack, found = set(), [outputs[i].node for i in tracked], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.order < start:
            found.add(node)
        elif node.primitive is not GATE:
            stack.extend(parent for parent in node.parents if parent is not None)
    return found


class _Recomputed(Primitive):
    """The node of a checkpoint: to pull a cotangent through it, compute the function again."""

    def __init__(self, again: Callable, leaves: list, outside: list[Node]):
        super().__init__("checkpoint", lambda xp: None, None, several=True)
        self.again, self.leaves, self.outside = again, leaves, outside

    def pull(self, F, node, cotangent, wanted=None):
        fresh, outputs = self.again(F.traced)
        inside = [gate.node for gate in fresh if isinstance(gate, Tensor) and gate.node is not None]
        seeds: dict[Node, Any] = {}
        for i, g in cotangent.items():
            out = outputs[i].node
            seeds[out] = seeds[out] + g if out in seeds else g
        found = reverse_sweep(F, seeds, {*inside, *self.outside})
        return [found.get(one) for one in (*inside, *self.outside)]

    def push(self, F, node, tangents):
        fresh, outputs = self.again(True)
        inside = [gate.node for gate in fresh if isinstance(gate, Tensor) and gate.node is not None]
        starts = {
            one: tangent
            for one, tangent in zip((*inside, *self.outside), tangents, strict=True)
            if tangent is not None
        }
        found = forward_sweep(F, [out.node for out in outputs], starts)
        return [found.get(out.node, F.zeros_like(out if F.traced else out.data)) for out in outputs]


__all__ = [
    "checkpoint", "grad", "hvp", "jacobian", "jvp", "tree_map", "value_and_grad", "vjp",
]  # fmt: skip
