"""Taking one row of numbers apart into heads, and putting heads together again."""

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.graph import mode
from minitx.autograd.primitive import primitive
from minitx.autograd.tensor import Tensor, wrap


def _split(xp, x, heads):
    b, t, width = x.shape
    rows = xp.swapaxes(x.reshape(b, t, sum(heads), width // sum(heads)), 1, 2)  # (B, all, T, d)
    found, start = [], 0
    for n in heads:
        found.append(rows[:, start : start + n])
        start += n
    return tuple(found)


def _split_vjp(F, g, y, x, heads):
    rows = [F.swapaxes(part, first=1, second=2) for part in g]  # (B, T, n, d)
    whole = F.concatenate(*rows, axis=2, sizes=tuple(heads))
    return F.reshape(whole, shape=x.shape)


split_heads_ = primitive("split_heads", _split, vjp=_split_vjp, several=True)


def split_heads(x: Tensor, *heads: int) -> tuple[Tensor, ...]:
    """(B, T, (n1 + n2 + ...) d) as Tensors (B, n1, T, d), (B, n2, T, d), ...: views, not copies."""
    if mode.recording:
        return split_heads_(x, heads=heads)
    xp = backend.namespace(x.data)
    return tuple(wrap(part, None) for part in _split(xp, x.data, heads))


def join_heads(x: Tensor) -> Tensor:
    """(B, H, T, d) -> (B, T, H d): head 0's numbers first."""
    b, h, t, d = x.shape
    return f.reshape(f.swapaxes(x, 1, 2), (b, t, h * d))
