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
        if new.k.node is not None or new.v.node is not None or (old and old.k.node is not None):
            grown.keys = new if old is None else _joined(old, new)  # nothing may be overwritten
            return grown
        store = self._store
        if store is None or not store.fits(len(self), new):
            store = _Store(max(2 * (len(self) + new.length), 16), new, old)
        grown.keys, grown._store = store.write(len(self), new), store
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
    """Arrays with room for ``capacity`` keys, filled up to ``used``."""

    def __init__(self, capacity: int, like: Keys, old: Keys | None):
        xp, (batch, heads) = backend.namespace(like.k.data), like.k.shape[:2]
        self.k, self.v = (
            xp.empty((batch, heads, capacity, x.shape[-1]), x.dtype) for x in (like.k, like.v)
        )
        given = [keys for keys in (like, old) if keys is not None]
        self.coords = self.valid = None
        if like.coords is not None:
            coords = [keys.coords for keys in given]
            rows, dtype = max(map(len, coords)), xp.result_type(*coords)
            self.coords = xp.empty((rows, capacity, coords[0].shape[-1]), dtype)
        if any(keys.valid is not None for keys in given):
            self.valid = xp.empty((batch, capacity), bool)
        self.used = 0
        if old is not None:
            self.write(0, old)

    def fits(self, start: int, new: Keys) -> bool:
        """Whether ``new`` can be written here after the first ``start`` keys."""
        if start != self.used or start + new.length > self.k.shape[2]:
            return False
        x, room = new.coords, self.coords
        placed = x is None or (
            len(x) <= len(room) and (x.dtype == room.dtype or x.dtype.kind in "iu")
        )
        return placed and (new.valid is None or self.valid is not None)

    def write(self, start: int, new: Keys) -> Keys:
        """Write ``new`` after the first ``start`` keys: all keys so far, as views."""
        self.used = stop = start + new.length
        self.k[:, :, start:stop], self.v[:, :, start:stop] = new.k.data, new.v.data
        coords = valid = None
        if new.coords is not None:
            self.coords[:, start:stop] = new.coords
            coords = self.coords[:, :stop]
        if self.valid is not None:
            self.valid[:, start:stop] = True if new.valid is None else new.valid
            valid = self.valid[:, :stop]
        k, v = wrap(self.k[:, :, :stop], None), wrap(self.v[:, :, :stop], None)
        return Keys(k, v, coords, valid)


def _joined(old: Keys, new: Keys) -> Keys:
    """Keys one after the other, recorded."""
    k, v = (f.concatenate([a, b], axis=2) for a, b in ((old.k, new.k), (old.v, new.v)))
    return Keys(k, v, _join_coords(old, new), _join_valid(old, new, backend.namespace(k.data)))


def _join_coords(old: Keys, new: Keys) -> Any:
    if new.coords is None:
        return None
    xp, parts = backend.namespace(new.coords), [old.coords, new.coords]
    batch = max(part.shape[0] for part in parts)
    return xp.concatenate([xp.broadcast_to(x, (batch, *x.shape[1:])) for x in parts], axis=1)


def _join_valid(old: Keys, new: Keys, xp: Any) -> Any:
    if old.valid is None and new.valid is None:
        return None
    parts = [
        xp.ones((keys.k.shape[0], keys.length), bool) if keys.valid is None else keys.valid
        for keys in (old, new)
    ]
    return xp.concatenate(parts, axis=1)


def _last(keys: Keys, n: int) -> Keys:
    coords = None if keys.coords is None else keys.coords[:, -n:]
    valid = None if keys.valid is None else keys.valid[:, -n:]
    return Keys(keys.k[:, :, -n:], keys.v[:, :, -n:], coords, valid)
