"""Heads that the battery walks, a line each."""

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context
from minitx.contracts.battery import D_MODEL, tokens
from minitx.contracts.head import CANDIDATES, Passing, Scoring
from minitx.contracts.variants.register import register
from minitx.models.label_tree import LabelTree
from minitx.models.pooling import mean_pool
from minitx.models.scoring import BiEncoder, PolyEncoder

register(
    "head",
    "one vector for a context",
    "minitx.models.scoring:BiEncoder",
    lambda rng: Scoring(BiEncoder(Passing(rng), Passing(rng), mean_pool)),
)
register(
    "head",
    "three codes for a context",
    "minitx.models.scoring:PolyEncoder",
    lambda rng: Scoring(PolyEncoder(Passing(rng), Passing(rng), 3, mean_pool, rng)),
)


class Branches(nn.Module):
    """A LabelTree whose labels hang each on a branch of its own, at a vector of each level."""

    def __init__(self, rng):
        self.turns = [nn.Linear(D_MODEL, D_MODEL, rng=rng) for _ in range(2)]
        self.held = nn.Buffer(tokens(2, CANDIDATES, seed=17).numpy())

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return self.scores(x, self.held, None if ctx is None else ctx.valid)

    def scores(self, x: Tensor, candidates: Tensor, valid=None) -> Tensor:
        tree = LabelTree(D_MODEL, (len(candidates), 1), rng=0)
        tree.vectors = [candidates[:, 0], candidates[:, 1]]
        tree.biases = [vectors[:, 0] for vectors in tree.vectors]
        return tree.log_scores([turn(mean_pool(x, valid)) for turn in self.turns])


register("head", "a path down a tree of labels", "minitx.models.label_tree:LabelTree", Branches)
