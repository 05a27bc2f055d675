"""Every window of an image side by side (``unfold``), and windows added up again (``fold``).

Each is linear, and the transpose of the other.
"""

from minitx.autograd.primitive import primitive
from minitx.autograd.rules.convolution import inside, lengths_after, padded, shifts, windows


def _unfold(xp, x, kernel, stride, padding, dilation):
    out = lengths_after(x.shape[1:-1], kernel, stride, padding, dilation)
    view = windows(xp, padded(xp, x, padding), kernel, out, stride, dilation)[0]
    return xp.array(view)  # the windows overlap in memory; their copies do not


def _fold(xp, y, lengths, kernel, stride, padding, dilation):
    out = y.shape[1 : 1 + len(kernel)]
    around = (n + sum(p) for n, p in zip(lengths, padding, strict=True))
    x = xp.zeros((y.shape[0], *around, y.shape[-1]), y.dtype)
    for k, seen in shifts(kernel, out, stride, dilation):
        x[seen] += y[(slice(None),) * (1 + len(out)) + k]
    return x[inside(lengths, padding)]


unfold_ = primitive(
    "unfold",
    _unfold,
    vjp=lambda F, g, _, x, **how: F.fold(g, lengths=x.shape[1:-1], **how),
    kind="linear",
    saves="nothing",
)
fold_ = primitive(
    "fold",
    _fold,
    vjp=lambda F, g, _, y, lengths, **how: F.unfold(g, **how),
    kind="linear",
    saves="nothing",
)
