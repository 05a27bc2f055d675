"""Max pooling: of every window, per channel, the greatest entry.

The cotangent goes back to the entry that was the greatest, the first of those that tie, as in
PyTorch. Which one it is (``choose``) has no derivative; putting numbers back there (``unpool``)
is linear, and its transpose picks them (``pool``). Average pooling is a convolution and needs no
primitive.
"""

from minitx.autograd.primitive import primitive
from minitx.autograd.rules.convolution import inside, lengths_after, padded, shifts


def _seen(xp, x, kernel, stride, padding, value):
    """For every kernel position, its number and what each window sees there."""
    ones = (1,) * len(kernel)
    out = lengths_after(x.shape[1:-1], kernel, stride, padding, ones)
    x = padded(xp, x, padding, value)
    return [(number, x[at]) for number, (_, at) in enumerate(shifts(kernel, out, stride, ones))]


def _max_pool(xp, x, kernel, stride, padding):
    lowest = -xp.inf if x.dtype.kind == "f" else xp.iinfo(x.dtype).min
    (_, first), *others = _seen(xp, x, kernel, stride, padding, lowest)
    y = xp.array(first)
    for _, entry in others:
        xp.maximum(y, entry, out=y)
    return y


def _choose(xp, x, y, kernel, stride, padding):
    """The number of the first kernel position at which each window has its maximum ``y``."""
    choice = xp.zeros(y.shape, "i4")
    for number, entry in reversed(_seen(xp, x, kernel, stride, padding, xp.nan)):
        xp.copyto(choice, number, where=entry == y)  # NaN, the padding, equals nothing
    return choice


def _pool(xp, x, choice, kernel, stride, padding):
    y = xp.zeros(choice.shape, x.dtype)
    for number, entry in _seen(xp, x, kernel, stride, padding, 0):
        xp.copyto(y, entry, where=choice == number)
    return y


def _unpool(xp, y, choice, lengths, kernel, stride, padding):
    around = [n + sum(p) for n, p in zip(lengths, padding, strict=True)]
    x = xp.zeros((y.shape[0], *around, y.shape[-1]), y.dtype)
    places = shifts(kernel, y.shape[1:-1], stride, (1,) * len(kernel))
    for number, (_, at) in enumerate(places):
        x[at] += xp.where(choice == number, y, 0)
    return x[inside(lengths, padding)]


def _max_pool_vjp(F, g, y, x, **how):
    choice = F.choose(x, y, **how)
    return F.unpool(g, choice=choice.data if F.traced else choice, lengths=x.shape[1:-1], **how)


def _linear(name, forward, rule):
    return primitive(name, forward, vjp=rule, kind="linear", saves="nothing")


# fmt: off
max_pool_ = primitive("max_pool", _max_pool, vjp=_max_pool_vjp)
choose_ = primitive("choose", _choose, vjp=None)
pool_ = _linear("pool", _pool,
    lambda F, g, y, x, **how: F.unpool(g, lengths=x.shape[1:-1], **how))
unpool_ = _linear("unpool", _unpool,
    lambda F, g, _, y, lengths, **how: F.pool(g, **how))
# fmt: on
