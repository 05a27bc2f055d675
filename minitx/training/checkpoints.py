"""Checkpoints: a folder with everything that training needs to go on bit for bit.

``model.safetensors`` has parameters and buffers, ``optimizer.safetensors`` the optimiser's arrays,
``state.json`` the rest: the step, options, the states of random generators, whatever the caller
adds. Nothing that is read can run code. A save that is interrupted leaves the one before it whole,
and a load that fails has changed nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minitx.errors import missing_extra
from minitx.nn.module import Module
from minitx.nn.pack import pack
from minitx.training.folder import find_file, replace_files

FORM = "minitx-checkpoint-1"
_MODEL, _OPTIMISER, _STATE = "model.safetensors", "optimizer.safetensors", "state.json"
_COMPLEX = "::complex"  # such a name holds complex numbers as pairs, which every reader knows

Generators = Mapping[str, np.random.Generator]


def save_checkpoint(
    model: Module,
    folder: str | Path,
    optimiser: Any = None,
    *,
    step: int = 0,
    generators: Generators | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write ``model``, ``optimiser`` and the rest into ``folder``, as a whole or not at all.

    The generators that the model's parts own are saved too; ``generators`` names others (the one
    that chooses batches). ``extra`` is anything that JSON can hold.
    Raises ValueError for weights that are not finite: the last good checkpoint is kept.
    """
    state = {
        "form": FORM,
        "step": step,
        "generators": {
            name: rng.bit_generator.state for name, rng in _generators(model, generators).items()
        },
        "extra": dict(extra or {}),
    }
    arrays = {_MODEL: _finite(model.state_dict())}
    if optimiser is not None:
        state["optimiser"] = optimiser.state_dict()
        arrays[_OPTIMISER] = state["optimiser"].pop("arrays")
    state["files"] = {}
    writers = {name: _array_writer(found, state["files"]) for name, found in arrays.items()}
    writers[_STATE] = lambda path: path.write_text(_to_json(state), encoding="utf-8")
    replace_files(folder, writers)


def load_checkpoint(
    model: Module,
    folder: str | Path,
    optimiser: Any = None,
    *,
    generators: Generators | None = None,
) -> dict[str, Any]:
    """Put a checkpoint into ``model``, ``optimiser`` and ``generators``; returns step and extra.

    {"step": ..., "extra": ...}. Raises FileNotFoundError when it is not there, ValueError that
    says what is wrong when it is damaged or another model's; then nothing has been changed.
    """
    state = _read_state(folder)
    arrays = {name: _read_arrays(folder, name, digest) for name, digest in state["files"].items()}
    theirs = _generators(model, generators)
    model.check_state_dict(arrays[_MODEL])
    _check_generators(folder, theirs, state["generators"])
    if optimiser is not None:
        if _OPTIMISER not in arrays:
            raise ValueError(f"{folder} expected the state of an optimiser, found none")
        found = {**state["optimiser"], "arrays": arrays[_OPTIMISER]}
        optimiser.check_state(found)
    model.load_state_dict(arrays[_MODEL])  # all has been checked: nothing from here on fails
    if optimiser is not None:
        optimiser.load_state_dict(found)
    for name, rng in theirs.items():
        rng.bit_generator.state = state["generators"][name]
    return {"step": state["step"], "extra": state["extra"]}


def save_weights(model: Module, folder: str | Path) -> None:
    """Write ``model.safetensors`` alone: parameters and buffers, under their names."""
    replace_files(folder, {_MODEL: _array_writer(_finite(model.state_dict()), {})})


def load_weights(model: Module, folder: str | Path) -> None:
    """Take parameters and buffers from ``model.safetensors``: all of them, or none and an error."""
    model.load_state_dict(_read_arrays(folder, _MODEL))
    pack(model)


# ------------------------------------------------------------------------------------- arrays


def _array_writer(arrays: Mapping[str, np.ndarray], digests: dict[str, str]) -> Any:
    """Writes arrays to a path, and notes under its name what the file must be when it is read."""
    safetensors = _safetensors()

    def write(path: Path) -> None:
        plain = dict(_without_complex(name, array) for name, array in arrays.items())
        try:
            safetensors.numpy.save_file(plain, path, metadata={"format": "minitx"})
        except safetensors.SafetensorError as error:
            raise OSError(f"{path.name} could not be written: {error}") from None
        digests[path.name] = _digest(path)

    return write


def _read_arrays(folder: str | Path, name: str, digest: str | None = None) -> dict[str, np.ndarray]:
    safetensors, path = _safetensors(), find_file(folder, name)
    if digest is not None and _digest(path) != digest:
        raise ValueError(f"{path} is damaged, or belongs to another save than {_STATE} beside it")
    try:
        plain = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} cannot be read, it is damaged: {error}") from None
    return dict(_with_complex(name, array) for name, array in plain.items())


def _without_complex(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    array = np.asarray(array, order="C")
    if array.dtype.kind != "c":
        return name, array
    return name + _COMPLEX, array.view(array.real.dtype).reshape(*array.shape, 2)


def _with_complex(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    if not name.endswith(_COMPLEX):
        return name, array
    return name.removesuffix(_COMPLEX), array[..., 0] + 1j * array[..., 1]


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finite(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if bad:
        raise ValueError(f"not saved: there are NaN or infinite numbers in {', '.join(bad[:5])}")
    return arrays


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise missing_extra("train", "safetensors") from None
    return safetensors


# -------------------------------------------------------------------------------------- state


def _to_json(state: Any) -> str:
    return json.dumps(state, indent=1, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"a checkpoint holds numbers, text, lists and dictionaries, got {value!r:.80}")


def _read_state(folder: str | Path) -> dict[str, Any]:
    path = find_file(folder, _STATE)
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read, it is damaged: {error}") from None
    kinds = {"form": str, "step": int, "files": dict, "generators": dict, "extra": dict}
    if not isinstance(state, dict) or state.get("form") != FORM:
        raise ValueError(f"{path} expected the form {FORM!r}, got {state!r:.60}")
    for name, kind in kinds.items():
        if not isinstance(state.get(name), kind):
            raise ValueError(f"{path} expected {name} as {kind.__name__}, got {state.get(name)!r}")
    expected = {_MODEL, _OPTIMISER} if "optimiser" in state else {_MODEL}
    if set(state["files"]) != expected:
        raise ValueError(f"{path} expected the files {expected}, got {set(state['files'])}")
    return state


def _generators(model: Module, others: Generators | None) -> dict[str, np.random.Generator]:
    return {f"model.{name}": rng for name, rng in model.named_generators()} | dict(others or {})


def _check_generators(folder: Any, theirs: Generators, states: Mapping[str, Any]) -> None:
    if set(theirs) != set(states):
        raise ValueError(f"{folder} expected generators {sorted(theirs)}, got {sorted(states)}")
    for name, rng in theirs.items():
        try:
            type(rng.bit_generator)(0).state = states[name]
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise ValueError(f"{folder}: the state of generator {name} is wrong: {error}") from None
