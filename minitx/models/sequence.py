"""What every model of sequences does first: look at the ids, and say where the tokens are."""

from typing import Any

from minitx import backend
from minitx.autograd.tensor import Tensor
from minitx.context import Context, Decoding


def read_ids(ids: Any) -> Any:
    """ids as an integer array (B, T) with at least one token in each row."""
    array = ids.data if isinstance(ids, Tensor) else Tensor(ids).data
    if array.ndim != 2 or not array.size:
        raise ValueError(f"expected ids (B, T) with T of at least 1, got shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"expected integer ids, got {array.dtype}")
    return array


def read_valid(valid: Any, shape: tuple[int, ...]) -> Any:
    """``valid`` as a boolean array (B, T), or None when every token is there."""
    if valid is None:
        return None
    array = valid.data if isinstance(valid, Tensor) else Tensor(valid).data
    if array.dtype.kind != "b" or array.shape != tuple(shape):
        raise ValueError(
            f"expected valid, a boolean array of shape {tuple(shape)} (True where a token is "
            f"there), got {array.dtype} {array.shape}"
        )
    return None if array.all() else array


def sequence_context(ids: Any, valid: Any = None, decoding: Decoding | None = None) -> Context:
    """The Context of ids (B, T): each token's place is how many tokens stand before it.

    Padding, on either side, is not counted. With ``decoding`` the places go on from there, and
    its count is brought up to date.
    """
    xp, length = backend.namespace(ids), ids.shape[1]
    if valid is None:
        places = xp.arange(length)[None]  # (1, T)
        counts = length
    else:
        places = xp.maximum(xp.cumsum(valid, axis=1) - 1, 0)  # (B, T)
        counts = valid.sum(axis=1)
    if decoding is not None:
        seen = xp.asarray(decoding.seen)
        places = places + seen[:, None]
        decoding.seen = seen + counts
        decoding.begin()
    source = None if decoding is None else decoding.source
    return Context(coords=places[..., None], valid=valid, source=source, decoding=decoding)
