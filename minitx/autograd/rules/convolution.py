"""Convolution and its two transposes, in one or more dimensions, channels last.

For an input x (B, *lengths, C), a weight w (O, C / groups, *kernel) and an output y (B, *out, O),
all three primitives read the same sum, y[t, o] = sum_{k, c} w[o, c, k] x[t s + k d - p, c]:
``conv`` solves it for y, ``conv_input`` carries y back to x (this is the transposed convolution),
``conv_weight`` carries x and y back to w. Each is linear in both arguments, and the rules of each
are the other two, so derivatives of any order stay among them.

A convolution is a matrix product: every window becomes a row (its kernel positions and channels),
the weight a matrix. Where each channel has a kernel of its own (depthwise), the windows are
summed where they lie, without the matrix.
"""

import itertools
import math

from minitx.autograd.primitive import primitive


def lengths_after(lengths, kernel, stride, padding, dilation) -> tuple[int, ...]:
    """How many windows fit along each axis."""
    return tuple(
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(lengths, kernel, stride, padding, dilation, strict=True)
    )


def padded(xp, x, padding, value=0):
    """``x`` (B, *lengths, C) with ``value`` around its lengths."""
    if not any(map(any, padding)):
        return x
    lengths = [n + sum(p) for n, p in zip(x.shape[1:-1], padding, strict=True)]
    found = xp.full((x.shape[0], *lengths, x.shape[-1]), value, x.dtype)
    found[inside(x.shape[1:-1], padding)] = x
    return found


def inside(lengths, padding):
    return (slice(None), *(slice(p[0], p[0] + n) for n, p in zip(lengths, padding, strict=True)))


def shifts(kernel, out, stride, dilation):
    """For every kernel position: the position, and the index of what all windows see there."""
    for position in itertools.product(*map(range, kernel)):
        yield position, (slice(None), *(
            slice(k * d, k * d + s * (n - 1) + 1, s) if n else slice(0)
            for k, n, s, d in zip(position, out, stride, dilation, strict=True)
        ))  # fmt: skip


def windows(xp, x, kernel, out, stride, dilation, groups=1):
    """A view of ``x`` (B, *lengths, C) without copies: (groups, B, *out, *kernel, C / groups)."""
    batch, *along, channel = x.strides
    width = x.shape[-1] // groups
    return xp.lib.stride_tricks.as_strided(
        x,
        (groups, x.shape[0], *out, *kernel, width),
        (channel * width, batch, *(n * s for n, s in zip(along, stride, strict=True)),
         *(n * d for n, d in zip(along, dilation, strict=True)), channel),
    )  # fmt: skip


def _columns(xp, x, kernel, out, stride, dilation, groups):
    """Every window as a row: (groups, B out, kernel C / groups)."""
    view = windows(xp, x, kernel, out, stride, dilation, groups)
    rows, width = x.shape[0] * math.prod(out), math.prod(kernel) * (x.shape[-1] // groups)
    return view.reshape(groups, rows, width)


def _as_matrix(w, groups):
    """The weight (O, C / groups, *kernel) as (groups, kernel C / groups, O / groups)."""
    n = w.shape[0] // groups
    width = w.shape[1]
    taps = math.prod(w.shape[2:])
    return w.reshape(groups, n, width, taps).transpose(0, 3, 2, 1).reshape(groups, taps * width, n)


def _in_groups(g, groups):
    """(B, *out, O) as (groups, B out, O / groups)."""
    rows = math.prod(g.shape[:-1])
    return g.reshape(rows, groups, g.shape[-1] // groups).swapaxes(0, 1)


def _is_depthwise(weight_shape, groups) -> bool:
    return groups == weight_shape[0] and weight_shape[1] == 1


def _letters(kernel):
    return "xyz"[: len(kernel)], "ijk"[: len(kernel)]


def _taps(xp, w):
    """A depthwise weight (C, 1, *kernel) with the channels last: (*kernel, C)."""
    return xp.ascontiguousarray(xp.moveaxis(w[:, 0], 0, -1))


def _conv(xp, x, w, stride, padding, dilation, groups):
    kernel = w.shape[2:]
    out = lengths_after(x.shape[1:-1], kernel, stride, padding, dilation)
    x = padded(xp, x, padding)
    if _is_depthwise(w.shape, groups):
        at, taps = _letters(kernel)
        view = windows(xp, x, kernel, out, stride, dilation)[0]
        return xp.einsum(f"b{at}{taps}c,{taps}c->b{at}c", view, _taps(xp, w))
    rows = _columns(xp, x, kernel, out, stride, dilation, groups) @ _as_matrix(w, groups)
    return rows.swapaxes(0, 1).reshape(x.shape[0], *out, w.shape[0])


def _conv_input(xp, y, w, lengths, stride, padding, dilation, groups):
    kernel, out = w.shape[2:], y.shape[1:-1]
    width = w.shape[1]
    around = [n + sum(p) for n, p in zip(lengths, padding, strict=True)]
    if _is_depthwise(w.shape, groups):
        x = _depthwise_input(xp, y, w, around, stride, dilation)
        return x[inside(lengths, padding)]
    rows = _in_groups(y, groups) @ _as_matrix(w, groups).swapaxes(1, 2)
    rows = rows.reshape(groups, y.shape[0], *out, *kernel, width)
    rows = xp.moveaxis(rows, 0, -2)  # (B, *out, *kernel, groups, C / groups)
    x = xp.zeros((y.shape[0], *around, groups, width), rows.dtype)
    for k, seen in shifts(kernel, out, stride, dilation):
        x[seen] += rows[(slice(None),) * (1 + len(out)) + k]
    return x.reshape(*x.shape[:-2], groups * width)[inside(lengths, padding)]


def _depthwise_input(xp, y, w, around, stride, dilation):
    """Every entry of y writes its kernel; where windows are one apart, a convolution does that."""
    kernel, taps = w.shape[2:], _taps(xp, w)
    if max(stride) == 1:
        spans = [(d * (k - 1),) * 2 for d, k in zip(dilation, kernel, strict=True)]
        view = windows(xp, padded(xp, y, spans), kernel, around, stride, dilation)[0]
        at, k = _letters(kernel)
        turned = xp.flip(taps, axis=tuple(range(len(kernel))))
        return xp.einsum(f"b{at}{k}c,{k}c->b{at}c", view, turned)
    dtype = xp.result_type(y.dtype, w.dtype)
    x = xp.zeros((y.shape[0], *around, y.shape[-1]), dtype)
    for k, seen in shifts(kernel, y.shape[1:-1], stride, dilation):
        x[seen] += y * taps[k]
    return x


def _conv_weight(xp, x, y, kernel, stride, padding, dilation, groups):
    out, n, width = y.shape[1:-1], y.shape[-1], x.shape[-1] // groups
    x = padded(xp, x, padding)
    if _is_depthwise((n, width), groups):
        at, taps = _letters(kernel)
        view = windows(xp, x, kernel, out, stride, dilation)[0]
        found = xp.einsum(f"b{at}{taps}c,b{at}c->c{taps}", view, y)
        return found.reshape(n, 1, *kernel)
    rows = _columns(xp, x, kernel, out, stride, dilation, groups)
    found = rows.swapaxes(1, 2) @ _in_groups(y, groups)  # (groups, kernel C / groups, O / groups)
    found = found.reshape(groups, math.prod(kernel), width, n // groups).transpose(0, 3, 2, 1)
    return found.reshape(n, width, *kernel)


# ----------------------------------------------------------------- each in terms of the others


def _linear(name, forward, *rules):
    return primitive(name, forward, vjp=rules, kind="linear", saves="inputs", meets="float")


# fmt: off
conv_ = _linear("conv", _conv,
    lambda F, g, _, x, w, **how: F.conv_input(g, F.conj(w), lengths=x.shape[1:-1], **how),
    lambda F, g, _, x, w, **how: F.conv_weight(F.conj(x), g, kernel=w.shape[2:], **how))
conv_input_ = _linear("conv_input", _conv_input,
    lambda F, g, _, y, w, lengths, **how: F.conv(g, F.conj(w), **how),
    lambda F, g, _, y, w, lengths, **how: F.conv_weight(g, F.conj(y), kernel=w.shape[2:], **how))
conv_weight_ = _linear("conv_weight", _conv_weight,
    lambda F, g, _, x, y, kernel, **how: F.conv_input(F.conj(y), g, lengths=x.shape[1:-1], **how),
    lambda F, g, _, x, y, kernel, **how: F.conv(F.conj(x), g, **how))
# fmt: on
