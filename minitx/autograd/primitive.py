"""Primitives: what an operation is, and what happens when one is applied.

A primitive is a forward computation on arrays and a rule for its derivative. Its rule is written
over a *space* ``F`` that knows every primitive by name, so the same line serves twice::

    exp = primitive("exp", lambda xp, x: xp.exp(x), vjp=lambda F, g, y, x: g * F.conj(y))

In ``raw(numpy)`` the line computes on arrays: the ordinary, fast backward computation. In
``TRACED`` it computes on Tensors and is recorded: the way to second derivatives. Rules give the
product of the cotangent ``g`` with the conjugate transpose of the Jacobian (PyTorch's convention
for complex numbers); they need not undo broadcasting, which ``graph.fit`` does for all of them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from minitx import backend
from minitx.autograd.graph import (
    Leaf,
    Node,
    Part,
    enable_grad,
    fit,
    forward_sweep,
    mode,
    reverse_sweep,
)
from minitx.autograd.meeting import SCALARS, library_of, meet
from minitx.autograd.spaces import TABLE, TRACED
from minitx.autograd.tensor import Tensor, wrap
from minitx.backend.arrays import _NAMESPACES


class Primitive:
    """A named operation with its derivative; calling it applies it to Tensors.

    forward: ``forward(xp, *arrays, **params) -> array`` (a tuple of arrays with ``several``).
    vjp: one rule per argument, ``rule(F, g, y, *arguments, **params)``, None for an argument
        without derivative; with ``variadic``, one rule for all, told which by ``argument=``.
    kind: "elementwise" (the Jacobian is diagonal, so the rule is its own transpose), "linear"
        (in each argument; the forward computation is its own derivative), or "general".
    saves: what the rules read: "both", "inputs", "output" or "nothing" (then an argument is
        known by its shape and dtype alone).
    meets: whether arguments of different dtypes are brought to one; "float" makes integers real.
    """

    fused = False

    def __init__(self, name: str, forward: Callable, vjp: Any, *, kind="general", saves="both",
                 meets: bool | str = False, several=False, variadic=False):  # fmt: skip
        if several and kind != "general":
            raise ValueError(f"{name}: with several outputs the kind is 'general', got {kind!r}")
        self.name, self.forward, self.kind = name, forward, kind
        self.vjp = tuple(vjp) if isinstance(vjp, Sequence) else (vjp,)
        self.saves_inputs = saves in ("both", "inputs")
        self.saves_output = saves in ("both", "output")
        self.meets, self.several, self.variadic = meets, several, variadic
        self.differentiable = any(rule is not None for rule in self.vjp)
        self.__doc__ = forward.__doc__
        self.__name__ = name

    def __call__(self, *args: Any, **params: Any) -> Any:
        if not mode.recording:
            return self._unrecorded(args, params)
        arrays, parents, tracked = [], [], False
        recording = self.differentiable
        for arg in args:
            if type(arg) is Tensor:
                arrays.append(arg.data)
                node = arg.node
                parents.append(node)
                if node is not None:
                    tracked = recording
            else:
                arrays.append(arg)
                parents.append(None)
        if self.meets:
            arrays = meet(self.meets, args, arrays)
        xp = library_of(arrays)
        output, residual = self.forward(xp, *arrays, **params), None
        if self.several:
            return self._several(output, arrays, parents, params, tracked)
        if self.fused:
            output, residual = output
        if type(output) not in _NAMESPACES:
            output = xp.asarray(output)  # NumPy gives scalars for arrays without axes
        if not tracked:
            return wrap(output, None)
        node = Node(
            self,
            parents,
            arrays if self.saves_inputs or (self.fused and mode.replays) else (),
            output if self.saves_output else None,
            params,
            output.shape,
            output.dtype,
            residual,
        )
        return wrap(output, node)

    def _unrecorded(self, args: tuple, params: dict) -> Any:
        """The same where nothing will be differentiated: no node is made."""
        arrays = [arg.data if type(arg) is Tensor else arg for arg in args]
        if self.meets:
            arrays = meet(self.meets, args, arrays)
        xp = library_of(arrays)
        output = self.forward(xp, *arrays, **params)
        if self.several:
            return self._several(output, arrays, (), params, False)
        if self.fused:
            output = output[0]
        if type(output) not in _NAMESPACES:
            output = xp.asarray(output)
        return wrap(output, None)

    def _several(self, outputs, arrays, parents, params, tracked) -> tuple[Tensor, ...]:
        xp = library_of(arrays)
        outputs = tuple(y if type(y) in _NAMESPACES else xp.asarray(y) for y in outputs)
        if not tracked:
            return tuple(wrap(output, None) for output in outputs)
        whole = Node(self, parents, arrays, outputs, params, None, None)
        return tuple(
            wrap(y, Node(PART, (whole,), (), None, {"index": i}, y.shape, y.dtype))
            for i, y in enumerate(outputs)
        )

    def pull(self, F: Any, node: Node, cotangent: Any, wanted: set | None = None) -> list:
        """The cotangents of the parents: one rule per argument that needs one."""
        output, arguments = _context(F, node)
        if self.several:
            cotangent = [
                cotangent[i] if i in cotangent else F.zeros_like(y) for i, y in enumerate(output)
            ]
        params, found = node.params, []
        for i, parent in enumerate(node.parents):
            if parent is None or (wanted is not None and parent not in wanted):
                found.append(None)
            elif self.variadic:
                found.append(self.vjp[0](F, cotangent, output, *arguments, argument=i, **params))
            else:
                rule = self.vjp[i]
                found.append(rule and rule(F, cotangent, output, *arguments, **params))
        return found

    def push(self, F: Any, node: Node, tangents: list) -> Any:
        """The tangent of the output, from those of the parents (None where there is none)."""
        if self.kind == "general":
            return _transposed_twice(self, F, node, tangents)
        output, arguments = _context(F, node)
        total = None
        for i, tangent in enumerate(tangents):
            if tangent is None:
                continue
            if self.kind == "elementwise":
                rule = self.vjp[i]
                term = F.conj(rule(F, F.conj(tangent), output, *arguments, **node.params))
            else:
                replaced = [*arguments[:i], tangent, *arguments[i + 1 :]]
                term = getattr(F, self.name)(*replaced, **node.params)
            total = term if total is None else total + term
        if total.shape != node.shape:
            total = F.broadcast_to(total, shape=node.shape)
        return total if total.dtype == node.dtype else F.astype(total, dtype=node.dtype)


class Fused(Primitive):
    """A primitive that exists for speed: several steps at once, on raw arrays, by hand.

    forward: ``forward(xp, *arrays, **params) -> (array, residual)``; the residual is whatever the
        backward computation wants to find again.
    backward: ``backward(xp, g, y, residual, *arrays, **params) -> cotangents of all arguments``.
    naive: the same function composed of ordinary primitives on Tensors. It is the oracle of the
        fused form, its explanation, and its route to forward mode and to second derivatives.
    """

    fused = True

    def __init__(self, name: str, forward: Callable, backward: Callable, naive: Callable,
                 saves: str = "both"):  # fmt: skip
        super().__init__(name, forward, backward, saves=saves)
        self.backward, self.naive = backward, naive

    def __call__(self, *args: Any, **params: Any) -> Any:
        if mode.naive:
            return self.naive(*args, **params)
        return super().__call__(*args, **params)

    def pull(self, F, node, cotangent, wanted=None):
        if not F.traced:
            inputs = node.inputs or node.parents
            found = self.backward(
                F.xp, cotangent, node.output, node.residual, *inputs, **node.params
            )
            return [g if p is not None else None for g, p in zip(found, node.parents, strict=True)]
        gates, result = self._replay(F, node)
        inside = {gate.node for gate in gates}
        found = reverse_sweep(F, {result.node: cotangent}, inside)
        pulled = (found.get(gate.node) for gate in gates)
        return [None if parent is None else next(pulled) for parent in node.parents]

    def push(self, F, node, tangents):
        gates, result = self._replay(F, node)
        arriving = [tangent for tangent, p in zip(tangents, node.parents, strict=True) if p]
        starts = {
            gate.node: tangent
            for gate, tangent in zip(gates, arriving, strict=True)
            if tangent is not None
        }
        return forward_sweep(F, [result.node], starts)[result.node]

    def _replay(self, F, node) -> tuple[list, Tensor]:
        """The naive twin, run from fresh gates: one for each argument, also where two are one."""
        if not node.inputs:
            raise RuntimeError(
                f"{node} did not keep its arguments, which forward mode and second derivatives "
                "need: run the computation inside grad, vjp, jvp or hvp"
            )
        gates, arguments = [], []
        for x, parent in zip(node.inputs, node.parents, strict=True):
            if parent is None:
                arguments.append(wrap(x, None) if type(x) in _NAMESPACES else x)
                continue
            gate = wrap(x, Node(GATE, [parent], (), None, {}, x.shape, x.dtype))
            gates.append(gate)
            arguments.append(gate)
        with enable_grad():
            return gates, self.naive(*arguments, **node.params)


class _Part(Primitive):
    """One output of a primitive that has several."""

    def pull(self, F, node, cotangent, wanted=None):
        return [Part(node.params["index"], cotangent)]

    def push(self, F, node, tangents):
        return tangents[0][node.params["index"]]


PART = _Part("part", lambda xp, x, index: x[index], lambda *_, **__: None)


def primitive(name: str, forward: Callable | None = None, **options: Any) -> Any:
    """Make a primitive and enter it in the table; with no ``forward``, a decorator for it.

    >>> @primitive("cube", vjp=lambda F, g, y, x: g * 3 * F.conj(x * x), kind="elementwise")
    ... def cube(xp, x):
    ...     return x * x * x
    """
    if forward is None:
        return partial(primitive, name, **options)
    if name in TABLE:
        raise ValueError(f"there is already a primitive called {name!r}")
    TABLE[name] = Primitive(name, forward, **options)
    return TABLE[name]


# A gate passes its argument on. It gives an argument a node of its own, at which sweeps can end.
GATE = primitive("gate", lambda xp, x: x, vjp=lambda F, g, y, x: g, kind="linear", saves="nothing")


def fused(
    name: str, forward: Callable, backward: Callable, naive: Callable, **options: Any
) -> Fused:
    """Make a fused primitive and enter it in the table."""
    if name in TABLE:
        raise ValueError(f"there is already a primitive called {name!r}")
    TABLE[name] = Fused(name, forward, backward, naive, **options)
    return TABLE[name]


# ------------------------------------------------------------------------------------ helpers


def _context(F: Any, node: Node) -> tuple[Any, Sequence]:
    """What a rule reads: output and arguments, as arrays, as Tensors, or as mere shapes."""
    if not node.inputs:
        arguments = node.parents
    elif F.traced:
        arguments = [
            x if type(x) in SCALARS else wrap(x, parent)
            for x, parent in zip(node.inputs, node.parents, strict=True)
        ]
    else:
        arguments = node.inputs
    output = node.output
    if F.traced and output is not None:
        if node.primitive.several:
            output = tuple(
                wrap(y, Node(PART, (node,), (), None, {"index": i}, y.shape, y.dtype))
                for i, y in enumerate(output)
            )
        else:
            output = wrap(output, node)
    return output, arguments


def _transposed_twice(op: Primitive, F: Any, node: Node, tangents: list) -> Any:
    """Forward mode from reverse mode: u -> J^T u is linear, and its own transpose is t -> J t."""
    with enable_grad():
        if op.several:
            probes = {i: _probe(y.shape, y.dtype, y) for i, y in enumerate(node.output)}
            starts = list(probes.values())
        else:
            example = next(t for t in tangents if t is not None)
            probes = _probe(node.shape, node.dtype, example)
            starts = [probes]
        pulled = op.pull(TRACED, node, probes)
        seeds: dict[Node, Any] = {}
        for value, tangent, parent in zip(pulled, tangents, node.parents, strict=True):
            if value is not None and tangent is not None and value.node is not None:
                value = TRACED.gate(fit(TRACED, value, parent))  # a node of its own for each
                seeds[value.node] = tangent
        found = reverse_sweep(F, seeds, {probe.node for probe in starts})
    pushed = [
        found[p.node] if p.node in found else F.zeros_like(p if F.traced else p.data)
        for p in starts
    ]
    return pushed if op.several else pushed[0]


def _probe(shape: tuple, dtype: Any, like: Any) -> Tensor:
    xp = backend.namespace(like.data if type(like) is Tensor else like)
    return wrap(xp.zeros(shape, dtype), Leaf(shape, dtype))
