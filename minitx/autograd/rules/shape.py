"""Primitives that move entries about without changing them. Each is linear.

The transpose of moving entries there is moving them back, and of copying them, summing. So most
rules are one word: reshape back, transpose back, flip back.
"""

from minitx.autograd.primitive import primitive


def _axes(x, axes):
    return tuple(reversed(range(len(x.shape)))) if axes is None else axes


def _transpose_vjp(F, g, y, x, axes=None):
    axes = _axes(x, axes)
    return F.transpose(g, axes=tuple(axes.index(i) for i in range(len(axes))))


def _concatenate_vjp(F, g, y, *parts, axis, sizes, argument):
    start = sum(sizes[:argument])
    index = (slice(None),) * axis + (slice(start, start + sizes[argument]),)
    return F.getitem(g, index=index)


def _split(xp, x, axis, sizes):
    parts, start, before = [], 0, (slice(None),) * axis
    for length in sizes:
        parts.append(x[(*before, slice(start, start + length))])
        start += length
    return tuple(parts)


def _split_vjp(F, g, y, x, axis, sizes):
    """The parts' cotangents, side by side again."""
    return F.concatenate(*g, axis=axis, sizes=sizes)


def _pad_vjp(F, g, y, x, width):
    inside = tuple(slice(before, before + n) for (before, _), n in zip(width, x.shape, strict=True))
    return F.getitem(g, index=inside)


def _triangle_vjp(name):
    return lambda F, g, y, x, offset=0: getattr(F, name)(g, offset=offset)


def _linear(name, forward, rule):
    return primitive(name, forward, vjp=rule, kind="linear", saves="nothing")


# fmt: off
reshape_ = _linear("reshape", lambda xp, x, shape: xp.reshape(x, shape),
    lambda F, g, y, x, shape: F.reshape(g, shape=x.shape))
transpose_ = _linear("transpose", lambda xp, x, axes=None: xp.transpose(x, axes), _transpose_vjp)
swapaxes_ = _linear("swapaxes", lambda xp, x, first, second: xp.swapaxes(x, first, second),
    lambda F, g, y, x, first, second: F.swapaxes(g, first=first, second=second))
broadcast_to_ = _linear("broadcast_to", lambda xp, x, shape: xp.broadcast_to(x, shape),
    lambda F, g, y, x, shape: g)  # the sum over copies is what graph.fit does
concatenate_ = primitive("concatenate",
    lambda xp, *parts, axis, sizes: xp.concatenate(parts, axis=axis),
    vjp=_concatenate_vjp, variadic=True, saves="nothing", meets=True)
split_ = primitive("split", _split, vjp=_split_vjp, several=True)
pad_ = _linear("pad", lambda xp, x, width: xp.pad(x, width), _pad_vjp)
flip_ = _linear("flip", lambda xp, x, axis: xp.flip(x, axis),
    lambda F, g, y, x, axis: F.flip(g, axis=axis))
roll_ = _linear("roll", lambda xp, x, shift, axis: xp.roll(x, shift, axis),
    lambda F, g, y, x, shift, axis: F.roll(g, shift=tuple(-s for s in shift), axis=axis))
tril_ = _linear("tril", lambda xp, x, offset=0: xp.tril(x, offset), _triangle_vjp("tril"))
triu_ = _linear("triu", lambda xp, x, offset=0: xp.triu(x, offset), _triangle_vjp("triu"))
# fmt: on
