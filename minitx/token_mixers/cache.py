"""The KV cache: the state of attention between one step and the next."""

from dataclasses import dataclass
from typing import Any

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.tensor import Tensor, wrap
from minitx.context import take_coords, take_rows


@dataclass(frozen=True)
class Keys:
    """What there is to attend to: keys and values (B, H', S, d), and where they are."""

    k: Tensor
    v: Tensor
    coords: Any = None  # (B or 1, S, p)
    valid: Any = None  # (B, S), or None when every key is there

    @property
    def length(self) -> int:
        """S."""
        return self.k.shape[2]

    def take(self, rows: Any) -> "Keys":
        """Those of some rows of the batch, in the order given."""
        k, v, valid = (take_rows(x, rows) for x in (self.k, self.v, self.valid))
        return Keys(k, v, take_coords(self.coords, rows), valid)


class KVCache:
    """Keys so far; ``append`` gives a longer cache and leaves this one as it was.

    The arrays are kept with room to spare: a cache and its successors share them, each seeing
    its own length, so a step writes one row and copies nothing. Only when two successors part
    from one cache does the second copy. With ``window`` older keys are dropped by ``trimmed``.
    """

    def __init__(self, window: int | None = None):
        self.window = window
        self.keys: Keys | None = None
        self._store: _Store | None = None

    def __len__(self) -> int:
        return 0 if self.keys is None else self.keys.length

    def append(self, new: Keys) -> "KVCache":
        """The cache after the keys and values of the next tokens."""
        grown, old = KVCache(self.window), self.keys
        store = self._store if old is not None else _Store(new)
        k, v, grown._store = store.append(old, new)
        coords = _join_coords(old, new)
        grown.keys = Keys(k, v, coords, _join_valid(old, new, backend.namespace(k.data)))
        return grown

    def trimmed(self) -> "KVCache":
        """The cache without what has left the window (done now and then, not at every step)."""
        if self.window is None or len(self) < 2 * self.window:
            return self
        return KVCache(self.window).append(_last(self.keys, self.window))

    def take(self, rows: Any) -> "KVCache":
        """The cache of some rows of the batch, in the order given."""
        return self if self.keys is None else KVCache(self.window).append(self.keys.take(rows))


class _Store:
    """Arrays for k and v, (B, H', capacity, d), filled up to ``used``."""

    def __init__(self, like: Keys, capacity: int = 0):
        self.used = 0
        self.arrays = [_room(x.data, capacity) for x in (like.k, like.v)]

    def append(self, old: Keys | None, new: Keys) -> tuple[Tensor, Tensor, "_Store"]:
        start = 0 if old is None else old.length
        stop = start + new.length
        if any(x.node is not None for x in (new.k, new.v)) or (old and old.k.node is not None):
            pair = [(new.k, new.v)] if old is None else [(old.k, old.v), (new.k, new.v)]
            k, v = (f.concatenate(parts, axis=2) for parts in zip(*pair, strict=True))
            return k, v, self  # being differentiated: nothing may be written in place
        store = self
        if start != self.used or stop > self.arrays[0].shape[2]:
            store = _Store(new, max(2 * stop, 16))
            if old is not None:
                for array, x in zip(store.arrays, (old.k, old.v), strict=True):
                    array[:, :, :start] = x.data
        for array, x in zip(store.arrays, (new.k, new.v), strict=True):
            array[:, :, start:stop] = x.data
        store.used = stop
        k, v = (wrap(array[:, :, :stop], None) for array in store.arrays)
        return k, v, store


def _room(x: Any, capacity: int) -> Any:
    return backend.namespace(x).empty((*x.shape[:2], capacity, x.shape[3]), x.dtype)


def _join_coords(old: Keys | None, new: Keys) -> Any:
    if old is None or new.coords is None:
        return new.coords
    xp, parts = backend.namespace(new.coords), [old.coords, new.coords]
    batch = max(part.shape[0] for part in parts)
    return xp.concatenate([xp.broadcast_to(x, (batch, *x.shape[1:])) for x in parts], axis=1)


def _join_valid(old: Keys | None, new: Keys, xp: Any) -> Any:
    if old is None or (old.valid is None and new.valid is None):
        return new.valid
    parts = [
        xp.ones((keys.k.shape[0], keys.length), bool) if keys.valid is None else keys.valid
        for keys in (old, new)
    ]
    return xp.concatenate(parts, axis=1)


def _last(keys: Keys, n: int) -> Keys:
    coords = None if keys.coords is None else keys.coords[:, -n:]
    valid = None if keys.valid is None else keys.valid[:, -n:]
    return Keys(keys.k[:, :, -n:], keys.v[:, :, -n:], coords, valid)
