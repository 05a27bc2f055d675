"""Max pooling: of every window, per channel, the greatest entry.

Which entry it is has no derivative; picking it is linear. ``choose`` finds the kernel position of
the greatest entry (the first of those that tie, as in PyTorch), ``pool`` picks what was chosen and
``unpool`` puts it back. Average pooling is a convolution and needs no primitive.
"""


from minitx.autograd.primitive import primitive
from minitx.autograd.rules.convolution import inside, lengths_after, padded, shifts


def _seen(xp, x, kernel, stride, padding, value):
    """For every kernel position, what each window sees there."""
    ones = (1,) * len(kernel)
    out = lengths_after(x.shape[1:-1], kernel, stride, padding, ones)
    x = padded(xp, x, padding, value)
    return ((number, x[at]) for number, (_, at) in enumerate(shifts(kernel, out, stride, ones)))


def _first_inside(xp, lengths, kernel, stride, padding):
    """The first kernel position of each window that is not padding: (1, *out, 1)."""
    out = lengths_after(lengths, kernel, stride, padding, (1,) * len(kernel))
    found = xp.zeros((1,) * (len(kernel) + 2), int)
    for axis, (n, k, s, p) in enumerate(zip(out, kernel, stride, padding, strict=True)):
        shape = [1] * found.ndim
        shape[axis + 1] = -1
        found = found * k + xp.maximum(p[0] - s * xp.arange(n), 0).reshape(shape)
    return found


def _choose(xp, x, kernel, stride, padding):
    """The kernel position, as one number, of the greatest entry of each window; NaN is greatest."""
    lowest = -xp.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min
    best, choice = lowest, _first_inside(xp, x.shape[1:-1], kernel, stride, padding)
    for number, entry in _seen(xp, x, kernel, stride, padding, lowest):
        better = (entry > best) | (entry != entry)
        best = xp.where(better, entry, best)
        choice = xp.where(better, number, choice)
    return choice


def _pool(xp, x, choice, kernel, stride, padding):
    y = xp.zeros(choice.shape, x.dtype)
    for number, entry in _seen(xp, x, kernel, stride, padding, 0):
        y = xp.where(choice == number, entry, y)
    return y


def _unpool(xp, y, choice, lengths, kernel, stride, padding):
    around = [n + sum(p) for n, p in zip(lengths, padding, strict=True)]
    x = xp.zeros((y.shape[0], *around, y.shape[-1]), y.dtype)
    places = shifts(kernel, y.shape[1:-1], stride, (1,) * len(kernel))
    for number, (_, at) in enumerate(places):
        x[at] += xp.where(choice == number, y, 0)
    return x[inside(lengths, padding)]


choose_ = primitive("choose", _choose, vjp=None)
pool_ = primitive(
    "pool",
    _pool,
    vjp=lambda F, g, y, x, **how: F.unpool(g, lengths=x.shape[1:-1], **how),
    kind="linear",
    saves="nothing",
)
unpool_ = primitive(
    "unpool",
    _unpool,
    vjp=lambda F, g, _, y, lengths, **how: F.pool(g, **how),
    kind="linear",
    saves="nothing",
)
