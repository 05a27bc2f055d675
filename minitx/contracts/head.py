"""What a head that scores candidates owes: a score is between one context and one candidate."""

import numpy as np

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.context import Context
from minitx.contracts import common
from minitx.contracts.battery import (
    BATCH,
    D_MODEL,
    LENGTH,
    Contract,
    Variant,
    as_function,
    changed,
    same,
    tokens,
)

CANDIDATES = 5
HEAD = Contract("head", (), list(common.COMMON[1:]))


class Passing(nn.Module):
    """In the place of an encoder: its ids are rows of ``vectors``, which it turns by one matrix."""

    def __init__(self, rng: np.random.Generator):
        self.tokens = nn.Linear(D_MODEL, D_MODEL, rng=rng)
        self.vectors: Tensor | None = None

    def take(self, x: Tensor) -> np.ndarray:
        """Make the vectors x (B, T, D) the rows; returns their ids (B, T)."""
        self.vectors = F.reshape(x, (-1, D_MODEL))
        return np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2])

    def forward(self, ids: np.ndarray, valid: np.ndarray | None = None) -> Tensor:
        return F.reshape(self.tokens(self.vectors), (*ids.shape, D_MODEL))


class Scoring(nn.Module):
    """Contexts (B, T, D) scored against ``CANDIDATES`` candidates that it holds: (B, C)."""

    def __init__(self, model: nn.Module):
        self.model = model
        self.held = nn.Buffer(tokens(3, CANDIDATES, seed=17).numpy())

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return self.scores(x, self.held, None if ctx is None else ctx.valid)

    def scores(self, x: Tensor, candidates: Tensor, valid: np.ndarray | None = None) -> Tensor:
        model = self.model
        contexts = model.contexts(model.context_encoder.take(x), valid)
        return model.score(contexts, model.candidates(model.candidate_encoder.take(candidates)))


@HEAD.check
def a_score_for_each_pair(variant: Variant) -> None:
    """(B, C) scores, in the type of the vectors."""
    for dtype in (np.float32, np.float64):
        y = variant.instance(dtype=dtype)(tokens(dtype=dtype))
        assert y.shape == (BATCH, CANDIDATES), f"expected {(BATCH, CANDIDATES)}, got {y.shape}"
        assert y.dtype == dtype, f"expected {np.dtype(dtype)}, got {y.dtype}"


@HEAD.check
def candidates_alone(variant: Variant) -> None:
    """A candidate's score does not depend on which others there are, nor on their order."""
    head, x = variant.instance(), tokens()
    whole = head.scores(x, head.held).numpy()
    for some in ([3], [4, 0, 2]):
        found = head.scores(x, head.held[some]).numpy()
        same(found, whole[:, some], 1e-12, "another candidate was heard")


@HEAD.check
def both_sides_matter(variant: Variant) -> None:
    """Every score depends on the context and on the candidate."""
    head, x = variant.instance(), tokens()
    whole = head.scores(x, head.held).numpy()
    other = head.scores(changed(x, np.s_[:]), head.held).numpy()
    assert np.abs(other - whole).min() > 1e-6, "the context is not heard"
    other = head.scores(x, changed(head.held, np.s_[:])).numpy()
    assert np.abs(other - whole).min() > 1e-6, "the candidate is not heard"


@HEAD.check
def padding_never_leaks(variant: Variant) -> None:
    """What stands in the padding of a context changes no score."""
    head, x = variant.instance(), tokens()
    valid = np.broadcast_to(np.arange(LENGTH) < 4, x.shape[:2])
    first = head.scores(x, head.held, valid).numpy()
    same(
        head.scores(changed(x, ~valid), head.held, valid).numpy(), first, 1e-12, "padding is heard"
    )
    same(head.scores(x[:, :4], head.held).numpy(), first, 1e-12, "padding makes a difference")


@HEAD.check
def every_weight_is_heard(variant: Variant) -> None:
    """Every parameter changes the scores."""
    head, x = variant.instance(), tokens()
    function, weights = as_function(head)
    y, pull = vjp(function, weights, x)
    held, _ = pull(common.cotangent(y))
    silent = [name for name, g in held.items() if not np.abs(g.numpy()).max() > 1e-9]
    assert not silent, f"these parameters change nothing: {silent}"
