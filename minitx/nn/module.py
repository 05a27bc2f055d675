"""Module: a function with parameters, and parts that are Modules too.

Parameters and buffers are Tensors that carry a role; parts are Modules, or lists, tuples and
dictionaries of them, found among the attributes. There is no registration and no magic
``__setattr__``: what is an attribute is part of the Module, in the order of its assignment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.graph import surrounded_by
from minitx.autograd.record import Tape, listener, listening, note, within
from minitx.autograd.tensor import Tensor, as_array, wrap


def Parameter(data: Any, dtype: Any = None) -> Tensor:
    """A Tensor that belongs to a Module and is trained. It copies ``data``."""
    tensor = Buffer(data, dtype)
    tensor.role, tensor.requires_grad = "parameter", True
    return tensor


def Buffer(data: Any, dtype: Any = None) -> Tensor:
    """A Tensor that belongs to a Module and is saved with it, not trained. It copies ``data``."""
    tensor = Tensor(data, dtype=dtype)
    tensor.data = tensor.data.copy()  # it may be changed in place
    tensor.role = "buffer"
    return tensor


class Module:
    """Base of every layer and model: subclasses set attributes and define ``forward``."""

    training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if listener.tape is None:
            return self.forward(*args, **kwargs)
        return self._recorded(args, kwargs)

    def _recorded(self, args: tuple, kwargs: dict) -> Any:
        name = listener.tape.module_names.get(id(self))
        if name is None:  # a Module that is not part of the one that is listened to
            return self.forward(*args, **kwargs)
        before, listener.path = listener.path, (name,) if name else ()
        try:
            return note("output", self.forward(*args, **kwargs))
        finally:
            listener.path = before

    # ------------------------------------------------------------------------------ its parts

    def children(self) -> Iterator[tuple[str, Module]]:
        """(name, part) for every part, those in lists and dictionaries included."""
        for name, value in vars(self).items():
            yield from _modules_in(name, value)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """(name, Module) for this Module (its name is ``prefix``) and all parts within parts."""
        yield prefix, self
        for name, child in self.children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """This Module and all parts within parts."""
        return (module for _, module in self.named_modules())

    def _tensors(self, role: str | None = None) -> Iterator[tuple[str, Any, Any, Tensor]]:
        """(name, holder, key, Tensor) for every Tensor with a role; ``holder[key]`` is it."""
        for prefix, module in self.named_modules():
            for name, value in vars(module).items():
                for path, holder, key, tensor in _tensors_in(name, vars(module), name, value):
                    if role is None or tensor.role == role:
                        yield f"{prefix}.{path}" if prefix else path, holder, key, tensor

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """(name, parameter), each parameter once, under the first of its names."""
        yield from _once(self._tensors("parameter"))

    def parameters(self) -> list[Tensor]:
        """Every parameter, once."""
        return [tensor for _, tensor in self.named_parameters()]

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """(name, buffer), each buffer once."""
        yield from _once(self._tensors("buffer"))

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """(name, generator) for every random generator that a part owns, each once."""
        seen = set()
        for prefix, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, np.random.Generator) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{prefix}.{name}" if prefix else name, value

    # ------------------------------------------------------------------------------ its state

    def train(self, mode: bool = True) -> Module:
        """Set training mode here and in all parts (dropout drops, batch norms gather)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Set evaluation mode here and in all parts."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients that ``backward`` has added up."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                parameter.grad = None

    def freeze(self, frozen: bool = True) -> Module:
        """Stop (or resume) training of all parameters here."""
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
        return self

    def to(self, target: Any) -> Module:
        """Move all parameters and buffers to a device, or the real ones to a dtype; in place.

        Gradients go along. Complex numbers take the dtype whose parts are of the one given.
        """
        if target not in ("cpu", "cuda") and backend.as_dtype(target).kind != "f":
            raise TypeError(f"expected 'cpu', 'cuda' or a real dtype, got {target!r}")
        for tensor in {id(tensor): tensor for *_, tensor in self._tensors()}.values():
            gradient = tensor.grad
            tensor.data = _moved(tensor.data, target)
            tensor.changed()
            if gradient is not None:
                tensor.node.grad = _moved(gradient.data, target)
        return self

    def state_dict(self) -> dict[str, np.ndarray]:
        """name -> NumPy array, for every parameter and buffer under every name that it has."""
        return {name: tensor.numpy() for name, _, _, tensor in self._tensors()}

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> None:
        """Take the numbers of ``state``; all of them or, when something is wrong, none.

        Raises ValueError as ``check_state_dict`` does.
        """
        self.check_state_dict(state, strict)
        mine = {name: tensor for name, _, _, tensor in self._tensors()}
        ready = {n: as_array(v, mine[n].dtype) for n, v in state.items() if n in mine}
        for name, value in ready.items():
            mine[name].assign(value)

    def check_state_dict(self, state: dict[str, Any], strict: bool = True) -> None:
        """Raise ValueError that lists what of ``state`` is missing, extra or of the wrong shape.

        With ``strict=False`` missing and extra names are allowed, wrong shapes never.
        """
        mine = {name: tensor for name, _, _, tensor in self._tensors()}
        problems = [
            f"{name}: expected shape {mine[name].shape}, got {tuple(np.shape(value))}"
            for name, value in state.items()
            if name in mine and tuple(np.shape(value)) != mine[name].shape
        ]
        if strict:
            problems += [f"{name}: missing" for name in mine if name not in state]
            problems += [f"{name}: not a part of this model" for name in state if name not in mine]
        if problems:
            listed = "\n  ".join(problems[:20])
            more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
            raise ValueError(f"the state does not fit {type(self).__name__}:\n  {listed}{more}")

    def summary(self) -> str:
        """A table: every part with parameters of its own, their shapes and how many numbers."""
        rows = [("part", "kind", "parameters", "shapes")]
        total, seen = 0, set()
        for name, module in self.named_modules():
            own = [
                (path, value)
                for key, attribute in vars(module).items()
                for path, _, _, value in _tensors_in(key, vars(module), key, attribute)
                if value.role == "parameter" and id(value) not in seen
            ]
            seen.update(id(value) for _, value in own)
            count = sum(value.size for _, value in own)
            total += count
            if own:
                shapes = ", ".join(f"{key} {value.shape}" for key, value in own)
                rows.append((name or "(itself)", type(module).__name__, f"{count:,}", shapes))
        rows.append(("total", "", f"{total:,}", ""))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        return "\n".join(
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip()
            for a, b, c, d in rows
        )

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={type(child).__name__}" for name, child in self.children())
        return f"{type(self).__name__}({inside})"


def _modules_in(name: str, value: Any) -> Iterator[tuple[str, Module]]:
    if isinstance(value, Module):
        yield name, value
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _modules_in(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _modules_in(f"{name}.{key}", item)


def _tensors_in(path: str, holder: Any, key: Any, value: Any) -> Iterator[tuple]:
    if isinstance(value, Tensor):
        if value.role is not None:
            yield path, holder, key, value
    elif isinstance(value, (list, dict)):
        for k, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _tensors_in(f"{path}.{k}", value, k, item)
    elif isinstance(value, tuple) and any(isinstance(x, Tensor) and x.role for x in value):
        raise TypeError(f"{path}: keep parameters and buffers in a list, not in a tuple")


def _moved(array: Any, target: Any) -> Any:
    if target in ("cpu", "cuda"):
        return backend.move(array, target)
    if array.dtype.kind == "c":
        return array.astype(np.result_type(backend.as_dtype(target), np.complex64))
    return array.astype(backend.as_dtype(target)) if array.dtype.kind == "f" else array


def _once(found: Iterator[tuple]) -> Iterator[tuple[str, Tensor]]:
    seen = set()
    for name, _, _, tensor in found:
        if id(tensor) not in seen:
            seen.add(id(tensor))
            yield name, tensor


def functional_call(module: Module, tensors: dict[str, Tensor], *args: Any, **kwargs: Any) -> Any:
    """``module(*args, **kwargs)`` with ``tensors`` in the places of its parameters and buffers.

    Weights become arguments: differentiate with respect to them with ``grad``, ``vjp``, ``jvp``;
    let another network make them. Names that are left out keep the module's own.
    """
    slots = {name: (holder, key, old) for name, holder, key, old in module._tensors()}
    unknown = [name for name in tensors if name not in slots]
    if unknown:
        raise ValueError(f"{type(module).__name__} has no parameters or buffers {unknown}")
    swaps = {id(slots[name][2]): new for name, new in tensors.items()}  # tied weights stay tied
    places = [(h, k, _with_role(swaps[id(t)], t)) for h, k, t in slots.values() if id(t) in swaps]
    with surrounded_by(lambda: _swapped(places)):
        return module(*args, **kwargs)


@contextmanager
def _swapped(places: list[tuple]) -> Iterator[None]:
    before = [holder[key] for holder, key, _ in places]
    try:
        for holder, key, new in places:
            holder[key] = new
        yield
    finally:
        for (holder, key, _), old in zip(places, before, strict=True):
            holder[key] = old


def _with_role(new: Any, old: Tensor) -> Tensor:
    new = new if isinstance(new, Tensor) else Tensor(new, dtype=old.dtype)
    if new.shape != old.shape:
        raise ValueError(f"expected a Tensor of shape {old.shape}, got {new.shape}")
    view = wrap(new.data, new.node)
    view.role = old.role
    return view


@contextmanager
def record(module: Module, replace: dict[str, Any] | None = None) -> Iterator[Tape]:
    """Within the block, hear what happens inside ``module``: ``tape["blocks.0.mixer.weights"]``.

    Every part's result is heard as ``<part>.output``, and whatever a part names with ``note``.
    ``replace`` maps such a name to a function whose result the model goes on with.
    """
    tape = Tape(replace)
    for name, part in module.named_modules():
        tape.module_names.setdefault(id(part), name)  # a shared part goes by its first name
    with listening(tape):
        yield tape


__all__ = [
    "Buffer", "Module", "Parameter", "functional_call", "note", "record", "within",
]  # fmt: skip
