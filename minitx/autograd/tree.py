"""Trees of Tensors: dictionaries, lists and tuples, nested, with Tensors (or numbers) as leaves."""

from collections.abc import Callable
from typing import Any


def flatten(tree: Any) -> tuple[list, Callable[[list], Any]]:
    """The leaves of ``tree`` in order, and the function that puts other leaves in their places."""
    leaves: list[Any] = []
    rebuild = _walk(tree, leaves)

    def build(new: list) -> Any:
        if len(new) != len(leaves):
            raise ValueError(f"expected {len(leaves)} leaves, got {len(new)}")
        return rebuild(iter(new))

    return leaves, build


def _walk(tree: Any, leaves: list) -> Callable:
    if isinstance(tree, dict):
        parts = {key: _walk(value, leaves) for key, value in tree.items()}
        return lambda new: {key: part(new) for key, part in parts.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        items = [_walk(value, leaves) for value in tree]
        return lambda new: type(tree)(*[item(new) for item in items])
    if isinstance(tree, (list, tuple)):
        items = [_walk(value, leaves) for value in tree]
        return lambda new: type(tree)([item(new) for item in items])
    leaves.append(tree)
    return lambda new: next(new)


def tree_map(function: Callable, *trees: Any) -> Any:
    """``function`` applied leaf by leaf to trees of one structure."""
    flat = [flatten(tree) for tree in trees]
    counts = [len(leaves) for leaves, _ in flat]
    if len(set(counts)) > 1:
        raise ValueError(f"expected trees of one structure, got {counts} leaves")
    columns = zip(*(leaves for leaves, _ in flat), strict=True)
    return flat[0][1]([function(*column) for column in columns])
