"""Heads that the battery walks, a line each."""

from minitx.contracts.head import Passing, Scoring
from minitx.contracts.variants.register import register
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
