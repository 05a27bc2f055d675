"""What an objective owes: one number that falls when the model comes to know the truth."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor, wrap
from minitx.autograd.transforms import vjp
from minitx.context import Context
from minitx.contracts import common
from minitx.contracts.battery import (
    BATCH,
    D_MODEL,
    NUM_HEADS,
    Contract,
    Variant,
    as_function,
    holds_if_declared,
    same,
    tokens,
)
from minitx.token_mixers.attention import MultiHeadAttention

OBJECTIVE = Contract(
    "objective",
    ("mean_of_rows",),
    [check for check in common.COMMON
     if check not in (common.shape_and_dtype, common.batch_rows_independent)],
)  # fmt: skip


class Reader(nn.Module):
    """In the place of an encoder: ids are rows of ``vectors``, and every token hears all others."""

    def __init__(self, rng: np.random.Generator):
        self.tokens = nn.Linear(D_MODEL, D_MODEL, rng=rng)
        self.segments = nn.Embedding(80, D_MODEL, rng=rng)
        self.mixer = MultiHeadAttention(D_MODEL, NUM_HEADS, rng=rng)
        self.vectors: Tensor | None = None

    def take(self, x: Tensor) -> np.ndarray:
        """Make the vectors x (B, T, D) the rows; returns their ids (B, T)."""
        self.vectors = F.reshape(x, (-1, D_MODEL))
        return np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2])

    def forward(
        self, ids: Any, valid: Any = None, segments: Tensor | None = None, losses: Any = None
    ) -> Tensor:
        xp = backend.namespace(self.vectors.data)
        x = self.tokens(F.embedding(self.vectors, wrap(xp.asarray(ids), None)))  # (B, T, D)
        which = np.zeros(ids.shape, np.int64) if segments is None else segments.data
        x = x + self.segments(wrap(xp.asarray(which), None))
        return F.tanh(x + self.mixer(x))


class Asked(nn.Module):
    """Base: the loss of tokens (B, T, D) against a truth that it holds.

    ``loss(x, truth)`` is one number; ``truth(x, seed)`` has a row for each row of x.
    """

    def __init__(self, model: nn.Module):
        self.model = model
        self.chances = nn.Buffer(np.random.default_rng(23).random((2, 8, 80)))

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return self.loss(x, self.truth(x))

    def drawn(self, x: Tensor, seed: int) -> Any:
        """Numbers from 0 to 1, one for each token: (B, T)."""
        return self.chances.data[seed, : x.shape[0], : x.shape[1]]

    def truth(self, x: Tensor, seed: int = 0) -> Any:
        """What is true of the rows of x; another seed is another truth."""
        raise TypeError(f"{type(self).__name__} does not define truth")

    def loss(self, x: Tensor, truth: Any) -> Tensor:
        """The loss, one number."""
        raise TypeError(f"{type(self).__name__} does not define loss")


@OBJECTIVE.check
def one_number(variant: Variant) -> None:
    """A finite number without axes, in the type of the tokens."""
    for dtype in (np.float32, np.float64):
        y = variant.instance(dtype=dtype)(tokens(dtype=dtype))
        assert y.shape == (), f"expected one number, got the shape {y.shape}"
        assert y.dtype == dtype, f"expected {np.dtype(dtype)}, got {y.dtype}"
        assert np.isfinite(y.item()), f"the loss is {y.item()}"


@OBJECTIVE.check
def truth_is_heard(variant: Variant) -> None:
    """Another truth has another loss."""
    asked, x = variant.instance(), tokens()
    losses = [asked.loss(x, asked.truth(x, seed)).item() for seed in (0, 1)]
    assert abs(losses[0] - losses[1]) > 1e-4, "two truths have the same loss"


@OBJECTIVE.check
def rows_in_any_order(variant: Variant) -> None:
    """The order of the rows of a batch, each with its truth, does not matter."""
    asked, x, order = variant.instance(), tokens(batch=5), [3, 0, 4, 1, 2]
    truth = asked.truth(x)
    found = asked.loss(x[order], truth[order]).numpy()
    same(found, asked.loss(x, truth).numpy(), 1e-12, "the order of the rows matters")


@OBJECTIVE.check
def repeated_rows(variant: Variant) -> None:
    """The loss is a mean: of a batch twice over it grows by no more than two choices cost, ln 2."""
    asked, x = variant.instance(), tokens()
    once, truth = asked(x).item(), asked.truth(x)
    both = list(range(BATCH)) * 2
    twice = asked.loss(x[both], truth[both]).item()
    assert abs(twice - once) <= np.log(2) + 1e-9, (
        f"the loss of a batch is {once:.3g}, and of the batch twice over {twice:.3g}"
    )


@OBJECTIVE.check
def mean_of_rows(variant: Variant) -> None:
    """Trait: the loss of a batch is the mean of the losses of its rows alone."""
    asked, x = variant.instance(), tokens(batch=3)
    truth = asked.truth(x)
    alone = [asked.loss(x[b : b + 1], truth[b : b + 1]).item() for b in range(3)]
    broken = abs(np.mean(alone) - asked.loss(x, truth).item())
    holds_if_declared(variant, "mean_of_rows", broken, 1e-12)


@OBJECTIVE.check
def every_weight_is_heard(variant: Variant) -> None:
    """Every parameter has a gradient."""
    function, weights = as_function(variant.instance())
    _, pull = vjp(function, weights, tokens())
    held, _ = pull(Tensor(1.0, dtype=np.float64))
    silent = [name for name, g in held.items() if not np.abs(g.numpy()).max() > 1e-9]
    assert not silent, f"these parameters change nothing: {silent}"


@OBJECTIVE.check
def can_be_learnt(variant: Variant) -> None:
    """A hundred steps down the gradient, on one batch, halve the loss."""
    function, weights = as_function(variant.instance())
    losses = list(descent(function, weights, tokens(), 100))
    assert losses[-1] < 0.5 * losses[0], (
        f"a hundred steps bring the loss from {losses[0]:.3g} to {losses[-1]:.3g}"
    )


def descent(function: Callable, weights: dict[str, Tensor], x: Tensor, steps: int) -> Any:
    """The losses on the way down, with a step of 0.1."""
    for _ in range(steps):
        y, pull = vjp(function, weights, x)
        yield y.item()
        held, _ = pull(Tensor(1.0, dtype=np.float64))
        weights = {
            name: Tensor(w.numpy() - 0.1 * held[name].numpy(), dtype=np.float64)
            for name, w in weights.items()
        }
