"""Cross-entropy from logits: log sum exp of a row, minus the logit of its target."""

from typing import Any

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.fused.common import as_rows, pieces, real_tensors
from minitx.autograd.fused.softmax import naive_log_softmax
from minitx.autograd.primitive import fused
from minitx.autograd.tensor import Tensor, wrap, wrap_constant


def _forward(xp, logits, targets, smoothing):
    rows, width = as_rows(logits), logits.shape[-1]
    flat = targets.reshape(-1)
    total = xp.empty(len(rows), logits.dtype)  # log sum exp
    for part in pieces(*rows.shape):
        top = rows[part].max(axis=1, keepdims=True)
        weights = rows[part] - top
        xp.exp(weights, out=weights)
        total[part] = xp.log(weights.sum(axis=1)) + top[:, 0]
    loss = total - rows[xp.arange(len(rows)), flat]
    if smoothing:
        loss = (1 - smoothing) * loss + smoothing * (total - rows.sum(axis=1) / width)
    return loss.reshape(targets.shape), total


def _backward(xp, g, y, total, logits, targets, smoothing):
    rows, width = as_rows(logits), logits.shape[-1]
    g, flat = g.reshape(-1, 1), targets.reshape(-1)
    found = xp.empty(rows.shape, logits.dtype)
    for part in pieces(*rows.shape):
        out = found[part]
        xp.subtract(rows[part], total[part, None], out=out)
        xp.exp(out, out=out)
        if smoothing:
            out -= smoothing / width
        out[xp.arange(len(out)), flat[part]] -= 1 - smoothing
        out *= g[part]
    return [found.reshape(logits.shape)]


def naive_cross_entropy(logits: Tensor, targets: Any, smoothing: float = 0.0) -> Tensor:
    """-log softmax(logits)[target], row by row; ``smoothing`` mixes in the mean over classes."""
    log_p = naive_log_softmax(logits)
    loss = -f.squeeze(f.take_along_axis(log_p, wrap(targets[..., None], None), -1), -1)
    return loss if not smoothing else (1 - smoothing) * loss - smoothing * f.mean(log_p, -1)


_cross_entropy = fused("cross_entropy", _forward, _backward, naive_cross_entropy, saves="inputs")


def cross_entropy(
    logits: Tensor,
    targets: Any,
    mask: Any = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """-log softmax(logits)[target] in nats.

    logits (..., V); targets (...) integers from 0 to V - 1; mask (...) boolean, True where a
    position counts (what it hides may hold any integer). ``reduction``: "mean" over the positions
    that count, "sum", or "none" for a loss per position (0 where masked).

    Raises ValueError for shapes that do not match or a mask that hides everything, IndexError
    for a target that is not a class, TypeError for targets that are not integers.
    """
    (logits,) = real_tensors(logits)
    targets = wrap_constant(targets).data
    xp, classes = backend.namespace(logits.data), logits.shape[-1]
    if targets.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy expected integer targets, got {targets.dtype}")
    if targets.shape != logits.shape[:-1]:
        raise ValueError(
            f"cross_entropy expected targets of shape {logits.shape[:-1]} for logits "
            f"{logits.shape}, got {targets.shape}"
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    targets = xp.asarray(targets)
    if mask is not None:
        mask = xp.asarray(wrap_constant(mask).data)
        if mask.dtype.kind != "b" or mask.shape != targets.shape:
            raise ValueError(
                f"cross_entropy expected a boolean mask of shape {targets.shape}, "
                f"got {mask.dtype} {mask.shape}"
            )
        targets = xp.where(mask, targets, 0)
    readable = targets.size and backend.may_be_read(targets)
    if readable and not (int(targets.min()) >= 0 and int(targets.max()) < classes):
        raise IndexError(
            f"cross_entropy expected targets from 0 to {classes - 1}, "
            f"got {int(targets.min())} to {int(targets.max())}"
        )
    loss = _cross_entropy(logits, targets=targets, smoothing=float(label_smoothing))
    count = targets.size
    if mask is not None:
        loss, count = f.where(mask, loss, 0), int(mask.sum())
    if reduction == "none":
        return loss
    if reduction == "sum":
        return f.sum(loss)
    if not count:
        raise ValueError("cross_entropy expected at least one position that counts, got none")
    return f.sum(loss) / count
