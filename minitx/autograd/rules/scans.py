"""Primitives that run along an axis: cumulative sums and products, and the linear recurrence.

h_t = a_t * h_{t-1} + b_t is the heart of state-space models. Its transpose is the same recurrence
run backwards, so its rule calls itself.
"""

from minitx.autograd.primitive import primitive


def _scan(xp, a, b, axis=0, reverse=False):
    """h_t = a_t h_{t-1} + b_t along ``axis`` from h = 0 (from the end with ``reverse``)."""
    a, b = xp.moveaxis(a, axis, 0), xp.moveaxis(b, axis, 0)
    h = xp.empty(b.shape, b.dtype)
    steps = range(b.shape[0])
    for t in reversed(steps) if reverse else steps:
        before = t + 1 if reverse else t - 1
        h[t] = a[t] * h[before] + b[t] if 0 <= before < b.shape[0] else b[t]
    return xp.moveaxis(h, 0, axis)


def _shift(F, x, axis, back):
    """Move entries one step along ``axis`` (backwards with ``back``); what enters is 0."""
    axis = axis % len(x.shape)
    n = x.shape[axis]
    inside = (slice(None),) * axis
    part = F.getitem(x, index=(*inside, slice(1, n) if back else slice(0, max(n - 1, 0))))
    width = [(0, 0)] * len(x.shape)
    width[axis] = (0, min(n, 1)) if back else (min(n, 1), 0)
    return F.pad(part, width=tuple(width))


def _scan_vjp_b(F, g, y, a, b, axis=0, reverse=False):
    """lambda_t = g_t + conj(a_{t+1}) lambda_{t+1}: the recurrence, backwards."""
    return F.scan(_shift(F, F.conj(a), axis, not reverse), g, axis=axis, reverse=not reverse)


def _scan_vjp_a(F, g, y, a, b, axis=0, reverse=False):
    adjoint = _scan_vjp_b(F, g, y, a, b, axis, reverse)
    return adjoint * F.conj(_shift(F, y, axis, reverse))


def _cumprod_vjp(F, g, y, x, axis):
    """y_t = x_t y_{t-1} is a recurrence too; what multiplies x_t is y_{t-1} (1 at the start)."""
    before = _shift(F, y, axis, False) + _first(F, y, axis)
    adjoint = F.scan(_shift(F, F.conj(x), axis, True), g, axis=axis, reverse=True)
    return adjoint * F.conj(before)


def _first(F, x, axis):
    """1 at the first position of ``axis``, 0 elsewhere."""
    shape = [1] * len(x.shape)
    shape[axis] = x.shape[axis]
    ones = F.zeros_like(F.sum(x, axis=tuple(i for i in range(len(shape)) if i != axis)))
    if not x.shape[axis]:
        return F.reshape(ones, shape=tuple(shape))
    head = F.getitem(ones, index=slice(0, 1)) + 1.0
    return F.reshape(F.pad(head, width=((0, x.shape[axis] - 1),)), shape=tuple(shape))


scan_ = primitive("scan", _scan, vjp=(_scan_vjp_a, _scan_vjp_b), meets="float")
cumsum_ = primitive(
    "cumsum",
    lambda xp, x, axis: xp.cumsum(x, axis=axis),
    vjp=lambda F, g, y, x, axis: F.flip(F.cumsum(F.flip(g, axis=axis), axis=axis), axis=axis),
    kind="linear",
    saves="nothing",
)
cumprod_ = primitive("cumprod", lambda xp, x, axis: xp.cumprod(x, axis=axis), vjp=_cumprod_vjp)
