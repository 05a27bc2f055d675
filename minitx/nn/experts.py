"""What mixtures of experts are made of: a choice, and matrices of which each row takes its own.

``expert_matmul`` gathers the rows of each expert and multiplies them at once, so that the work is
that of the experts chosen, not of all; ``naive_expert_matmul`` asks every expert and masks.
"""

from typing import Any, NamedTuple

from minitx import backend
from minitx import functional as F
from minitx.autograd.primitive import primitive
from minitx.autograd.tensor import Tensor, wrap
from minitx.nn.linear import Linear
from minitx.nn.module import Module, Parameter


def _rows_of_experts(xp, index, experts):
    """(expert, its places in ``index``) for each expert that is chosen at all."""
    order = xp.argsort(index.reshape(-1), kind="stable")
    start = 0
    for expert, count in enumerate(xp.bincount(index.reshape(-1), minlength=experts).tolist()):
        if count:
            yield expert, order[start : start + count]
        start += count


def _matmul(xp, x, weight, index):
    (rows, k), width = index.shape, weight.shape[2]
    y = xp.zeros((rows * k, width), x.dtype)
    for expert, places in _rows_of_experts(xp, index, len(weight)):
        y[places] = x[places // k] @ weight[expert]
    return y.reshape(rows, k, width)  # (R, K, F)


def _outer(xp, x, g, index, experts):
    k, flat = index.shape[1], g.reshape(index.size, g.shape[-1])
    found = xp.zeros((experts, x.shape[1], g.shape[-1]), g.dtype)
    for expert, places in _rows_of_experts(xp, index, experts):
        found[expert] = x[places // k].T @ flat[places]
    return found  # (E, D, F)


def _back(F, g, weight, index):
    """Each row's cotangents from all that it was multiplied by: (R, D)."""
    rows, k, width = g.shape
    flat = F.reshape(g, shape=(rows * k, width))
    back = F.swapaxes(weight, first=1, second=2)
    found = F.expert_matmul(flat, back, index=index.reshape(-1, 1))  # (R K, 1, D)
    return F.sum(F.reshape(found, shape=(rows, k, weight.shape[1])), axis=(1,), keepdims=False)


expert_matmul_ = primitive(
    "expert_matmul",
    _matmul,
    vjp=(
        lambda F, g, y, x, weight, index: _back(F, g, weight, index),
        lambda F, g, y, x, weight, index: F.expert_outer(
            x, g, index=index, experts=weight.shape[0]
        ),
    ),
    kind="linear",
    saves="inputs",
    meets=True,
)
expert_outer_ = primitive(
    "expert_outer",
    _outer,
    vjp=(
        lambda F, h, y, x, g, index, experts: _back(F, g, h, index),
        lambda F, h, y, x, g, index, experts: F.expert_matmul(x, h, index=index),
    ),
    kind="linear",
    saves="inputs",
    meets=True,
)


def expert_matmul(x: Tensor, weight: Tensor, index: Any) -> Tensor:
    """y[r, k] = x[r] W[index[r, k]]: every row is multiplied by the matrices it chose.

    x (R, D), weight (E, D, F), index (R, K) of integers below E -> (R, K, F).
    """
    return expert_matmul_(x, weight, index=index)


def naive_expert_matmul(x: Tensor, weight: Tensor, index: Any) -> Tensor:
    """The same, by all experts on all rows, with a mask: E / K times the work."""
    total = 0.0
    for expert in range(weight.shape[0]):
        chosen = F.expand_dims(wrap(index == expert, None), -1)  # (R, K, 1)
        total = total + F.where(chosen, F.expand_dims(x @ weight[expert], 1), 0)
    return total


class Choice(NamedTuple):
    """Which experts a token takes, (..., K), with which gates (..., K); and all logits (..., E)."""

    index: Any
    gates: Tensor
    logits: Tensor


class Chooser(Module):
    """The K experts with the largest scores s = sigmoid(W x), one by one: they do not compete.

    x (..., D) -> Choice. With ``sets`` S the experts stand in S sets of E, K are taken from each,
    and all results have an axis S before the last. Raises ValueError for a K that is not 1 ... E.
    """

    def __init__(self, d_model: int, experts: int, top: int, sets: int = 1, rng: Any = None):
        if not 1 <= top <= experts:
            raise ValueError(f"expected to take 1 to {experts} experts, got {top}")
        self.experts, self.top, self.sets = experts, top, sets
        self.score = Linear(d_model, sets * experts, bias=False, rng=rng)

    def forward(self, x: Tensor) -> Choice:
        shape = (*x.shape[:-1], self.sets, self.experts)
        logits = F.reshape(self.score(x), shape)  # (..., S, E)
        gates, index = F.topk(F.sigmoid(logits), self.top)  # (..., S, K)
        return Choice(index.data, gates, logits)


class Experts(Module):
    """E matrices, of which each row takes those that it chose.

    x (R, d_in), index (R, K) -> (R, K, d_out); weight (E, d_in, d_out), as wide apart at the start
    as those of a Linear.
    """

    def __init__(self, experts: int, d_in: int, d_out: int, rng: Any = None):
        rng, bound = backend.generator(rng), d_in**-0.5
        self.weight = Parameter(rng.uniform(-bound, bound, (experts, d_in, d_out)))

    def forward(self, x: Tensor, index: Any) -> Tensor:
        return expert_matmul(x, self.weight, index)


class Uses:
    """What was chosen in all the uses of one part within a pass: the logits of each use."""

    def __init__(self, weight: float):
        self.weight, self.logits = weight, []

    def imbalance(self) -> Tensor:
        """weight * sum_e p_e log p_e, p the mean softmax over tokens and uses; least when even."""
        share = sum(self.share(logits) for logits in self.logits) / len(self.logits)  # (S, E)
        log = F.log(F.maximum(share, 1e-30))  # a share may round to 0
        return self.weight * F.mean(F.sum(share * log, axis=-1))

    @staticmethod
    def share(logits: Tensor) -> Tensor:
        """The mean choice of a use, logits (..., S, E) -> (S, E)."""
        return F.mean(F.softmax(logits), axis=tuple(range(logits.ndim - 2)))


def leave_choice(ctx: Any, part: Any, logits: Tensor, weight: float) -> None:
    """Leave in the Context what ``part`` chose from, for whoever balances the choices."""
    if ctx is not None:
        uses = ctx.shared.setdefault("choices", {})
        uses.setdefault(id(part), Uses(weight)).logits.append(logits)
