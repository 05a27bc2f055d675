"""Losses: how wrong an answer is, as one number that is differentiated.

``mask`` is True where an entry counts. ``reduction`` is "mean" over what counts, "sum", or "none"
for the loss of every entry (0 where masked).
"""

from typing import Any

import numpy as np

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap, wrap_constant


def cross_entropy(
    logits: Tensor,
    targets: Any,
    mask: Any = None,
    *,
    ignore: int | None = None,
    weights: Any = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """-log softmax(logits)[target] in nats.

    logits (..., V), targets (...) integers; positions whose target is ``ignore`` do not count.
    ``weights`` (V,) says how much each class counts (the mean is then a weighted mean).
    ``label_smoothing`` moves that share of the target evenly over all classes.
    Raises ValueError, TypeError or IndexError as ``F.cross_entropy`` does.
    """
    targets = wrap_constant(targets).data
    if ignore is not None:
        mask = _both(mask, targets != ignore)
    if weights is None:
        return F.cross_entropy(logits, targets, mask, label_smoothing, reduction)
    weights = _beside(logits, weights)
    if weights.shape != logits.shape[-1:]:
        raise ValueError(f"expected weights of shape {logits.shape[-1:]}, got {weights.shape}")
    plain = F.cross_entropy(logits, targets, mask, reduction="none")
    if mask is not None:
        targets = backend.namespace(targets).where(_array(mask, targets), targets, 0)
    share = F.embedding(F.reshape(weights, (-1, 1)), targets)[..., 0]
    loss = share * plain
    if label_smoothing:
        spread = -F.mean(weights * F.log_softmax(logits), -1)
        loss = (1 - label_smoothing) * loss + label_smoothing * spread
    if reduction != "mean":
        return _reduce(loss, mask, reduction)
    return _reduce(loss, mask, "sum") / _reduce(share, mask, "sum")


def mse(prediction: Tensor, target: Any, mask: Any = None, reduction: str = "mean") -> Tensor:
    """(prediction - target)^2. Both of one shape; raises ValueError otherwise."""
    return _reduce(F.square(_difference("mse", prediction, target)), mask, reduction)


def mae(prediction: Tensor, target: Any, mask: Any = None, reduction: str = "mean") -> Tensor:
    """|prediction - target|. Both of one shape; raises ValueError otherwise."""
    return _reduce(F.abs(_difference("mae", prediction, target)), mask, reduction)


def huber(
    prediction: Tensor,
    target: Any,
    mask: Any = None,
    *,
    delta: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); d = prediction - target.

    Both of one shape; raises ValueError otherwise.

    Source: Huber, "Robust Estimation of a Location Parameter" (1964): k = delta.
    """
    if not delta > 0:
        raise ValueError(f"huber expected delta > 0, got {delta}")
    size = F.abs(_difference("huber", prediction, target))
    near = F.minimum(size, delta)
    return _reduce(near * (size - 0.5 * near), mask, reduction)


def bce_with_logits(
    logits: Tensor,
    targets: Any,
    mask: Any = None,
    *,
    positive_weight: Any = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """-w y log sigmoid(x) - (1 - y) log(1 - sigmoid(x)), without overflow.

    logits x and targets y (from 0 to 1) of one shape; ``positive_weight`` w is a number, or an
    array that is broadcast. Raises ValueError for other shapes.
    """
    targets = _alike("bce_with_logits", logits, targets)
    loss = (1 - targets) * logits + (1 + (positive_weight - 1) * targets) * F.softplus(-logits)
    return _reduce(loss, mask, reduction)


def kl_div(log_p: Tensor, log_q: Tensor, mask: Any = None, reduction: str = "mean") -> Tensor:
    """KL(p || q) = sum p (log p - log q) over the last axis, from log probabilities (..., V).

    mask (...); where p = 0 (log p = -inf) the term is 0. (PyTorch's ``kl_div`` takes log q first.)
    Raises ValueError for other shapes.
    """
    log_q = _alike("kl_div", log_p, log_q)
    impossible = F.less(log_p, -1e30)
    log_p = F.where(impossible, 0, log_p)
    terms = F.where(impossible, 0, F.exp(log_p) * (log_p - log_q))
    return _reduce(F.sum(terms, -1), mask, reduction)


def info_nce(
    queries: Tensor, keys: Tensor, temperature: float | Tensor = 0.07, symmetric: bool = False
) -> Tensor:
    """The cross-entropy of finding, for query i, key i among all keys of the batch.

    queries and keys (B, D); the scores are cosines over ``temperature``. ``symmetric`` takes the
    mean with finding the queries for the keys (CLIP). Raises ValueError for other shapes.

    Source: van den Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive
    Coding" (2018); Radford et al., "Learning Transferable Visual Models" (2021).
    """
    if queries.ndim != 2 or queries.shape != keys.shape:
        raise ValueError(f"info_nce expected (B, D) twice, got {queries.shape} and {keys.shape}")
    scores = _unit(queries) @ F.transpose(_unit(keys)) / temperature  # (B, B)
    targets = np.arange(queries.shape[0])
    loss = F.cross_entropy(scores, targets)
    if not symmetric:
        return loss
    return 0.5 * (loss + F.cross_entropy(F.transpose(scores), targets))


def _unit(x: Tensor) -> Tensor:
    return x / F.maximum(F.norm(x, -1, keepdims=True), 1e-12)


def _difference(name: str, prediction: Tensor, target: Any) -> Tensor:
    return prediction - _alike(name, prediction, target)


def _alike(name: str, x: Tensor, target: Any) -> Tensor:
    """``target`` as a Tensor of the shape and dtype of ``x``."""
    target = _beside(x, target)
    if target.shape != x.shape:
        raise ValueError(f"{name} expected two of one shape, got {x.shape} and {target.shape}")
    return target


def _beside(x: Tensor, constant: Any) -> Tensor:
    """``constant`` as a Tensor of the dtype and device of ``x``; a Tensor as it is."""
    if isinstance(constant, Tensor):
        return constant
    return wrap(backend.namespace(x.data).asarray(constant, dtype=x.dtype), None)


def _reduce(loss: Tensor, mask: Any, reduction: str) -> Tensor:
    count = loss.size
    if mask is not None:
        mask = _array(mask, loss.data)
        if mask.dtype.kind != "b" or mask.shape != loss.shape:
            raise ValueError(
                f"expected a boolean mask of shape {loss.shape}, got {mask.dtype} {mask.shape}"
            )
        loss, count = F.where(mask, loss, 0), int(mask.sum())
    if reduction == "none":
        return loss
    if reduction == "sum":
        return F.sum(loss)
    if reduction != "mean":
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if not count:
        raise ValueError("a mean loss expected at least one entry that counts, got none")
    return F.sum(loss) / count


def _array(mask: Any, like: Any) -> Any:
    return backend.namespace(like).asarray(getattr(mask, "data", mask))


def _both(mask: Any, other: Any) -> Any:
    return other if mask is None else _array(mask, other) & other
