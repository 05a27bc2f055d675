"""What all optimisers share: groups of parameters with options of their own, and the state."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor
from minitx.training.flat import Flat


class Group:
    """Parameters that are updated with the same options: ``group.options["lr"]``."""

    def __init__(self, parameters: list[Tensor], options: dict[str, Any], slots: tuple[str, ...]):
        self.parameters, self.options = parameters, options
        kinds: dict[tuple, list[Tensor]] = {}
        for parameter in parameters:
            kinds.setdefault((parameter.device, parameter.data.real.dtype), []).append(parameter)
        self.flats = [Flat(alike, slots) for alike in kinds.values()]


class Optimiser:
    """Base of the optimisers: one defines ``slots`` (its state) and ``update`` (its rule).

    ``parameters`` is a list of parameters, or of groups ``{"params": [...], "lr": ..., ...}`` whose
    options go before the ones that hold for all. Raises ValueError for no parameters, one that
    comes twice, an option that is unknown or out of range.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, parameters: Iterable[Any], **options: Any):
        given = list(parameters)
        if not all(isinstance(item, dict) for item in given):
            given = [{"params": given}]
        self.groups: list[Group] = []
        seen: set[int] = set()
        for item in given:
            item = dict(item)
            tensors = _read_parameters(item.pop("params", None), seen)
            unknown = [name for name in item if name not in options]
            if unknown:
                raise ValueError(f"a group expected some of {list(options)}, got {unknown}")
            chosen = {**options, **item}
            _check_options(chosen)
            self.groups.append(Group(tensors, chosen, self.slots))
        if not seen:
            raise ValueError(f"{type(self).__name__} expected parameters, got none")

    def update(
        self, p: Any, g: Any, slots: list[Any], work: Any, options: dict, count: int
    ) -> None:
        """Change the numbers p in place, given gradients g (not to be changed).

        ``slots`` holds the state of these numbers, in the order of ``self.slots``; ``work`` is
        scratch space of the same length; ``count`` is 1 at the first update.
        """
        raise NotImplementedError

    def step(self, scale: float = 1.0) -> None:
        """Update every parameter that has a gradient; ``scale`` is what a schedule says of lr."""
        for group in self.groups:
            options = {**group.options, "lr": group.options["lr"] * scale}
            for flat in group.flats:
                flat.adopt()
                for part, gradient, count in flat.pieces():
                    slots = [flat.slots[name][part] for name in self.slots]
                    work = flat.work[1][: len(gradient)]
                    self.update(flat.data[part], gradient, slots, work, options, count)
            for parameter in group.parameters:
                if parameter.node is not None and parameter.node.grad is not None:
                    parameter.changed()

    def parameters(self) -> Iterator[Tensor]:
        """The parameters of all groups."""
        return (parameter for group in self.groups for parameter in group.parameters)

    def zero_grad(self) -> None:
        """Forget the gradients that ``backward`` has added up."""
        for parameter in self.parameters():
            if parameter.node is not None:
                parameter.node.grad = None

    # -------------------------------------------------------------------------------- its state

    def state_dict(self) -> dict[str, Any]:
        """{"options": one dictionary a group, "counts": ..., "arrays": name -> NumPy array}."""
        return {
            "kind": type(self).__name__,
            "options": [group.options for group in self.groups],
            "counts": [list(flat.counts) for flat in self._flats()],
            "arrays": {name: backend.to_numpy(array) for name, array in self._arrays().items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state; raises ValueError, and changes nothing, if it is another's."""
        self.check_state(state)
        for group, options in zip(self.groups, state["options"], strict=True):
            group.options = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in options.items()
            }
        for flat, counts in zip(self._flats(), state["counts"], strict=True):
            flat.counts = list(counts)
        for name, array in self._arrays().items():
            array[...] = backend.namespace(array).asarray(state["arrays"][name])

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise ValueError unless ``state`` is that of an optimiser like this one."""
        mine = self.state_dict()
        for what, describe in _DESCRIPTIONS.items():
            expected, got = describe(mine), describe(state)
            if expected != got:
                raise ValueError(f"the optimiser's {what} expected {expected}, got {got}")

    def _flats(self) -> list[Flat]:
        return [flat for group in self.groups for flat in group.flats]

    def _arrays(self) -> dict[str, Any]:
        flats = enumerate(self._flats())
        return {f"{i}.{name}": array for i, flat in flats for name, array in flat.slots.items()}


_DESCRIPTIONS = {
    "kind": lambda state: state.get("kind"),
    "options": lambda state: [sorted(options) for options in state.get("options", [])],
    "number of parameters": lambda state: [len(counts) for counts in state.get("counts", [])],
    "state": lambda state: {
        name: f"{array.dtype} {array.shape}" for name, array in state.get("arrays", {}).items()
    },
}


def _read_parameters(given: Any, seen: set[int]) -> list[Tensor]:
    tensors = [given] if isinstance(given, Tensor) else list(given or [])
    for tensor in tensors:
        if not isinstance(tensor, Tensor) or tensor.dtype.kind not in "fc":
            raise TypeError(f"an optimiser expected parameters, got {type(tensor).__name__}")
        if tensor.node is not None and tensor.node.primitive is not None:
            raise ValueError(f"an optimiser expected leaves, got a computed {tensor.shape}")
        if id(tensor) in seen:
            raise ValueError(f"a parameter of shape {tensor.shape} was given twice")
        seen.add(id(tensor))
    return tensors


def _check_options(options: dict[str, Any]) -> None:
    for name in ("lr", "weight_decay", "eps"):
        if not 0 <= options.get(name, 0) < math.inf:
            raise ValueError(f"expected {name} from 0, got {options[name]}")
    for value in (*options.get("betas", ()), options.get("momentum", 0)):
        if not 0 <= value < 1:
            raise ValueError(f"expected betas and momentum from 0 to below 1, got {value}")
