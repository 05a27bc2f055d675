"""Mixtures of experts, and depths that differ from token to token, a line each."""

import numpy as np

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.sigma_moe import SigmaMoE
from minitx.connections.peri_norm import PeriNorm
from minitx.connections.residual import PreNorm
from minitx.contracts.battery import D_MODEL, SMALL, Size
from minitx.contracts.connection import joined
from minitx.contracts.variants.register import register
from minitx.depth.adaptive import AdaptiveLoop
from minitx.depth.early_exit import EarlyExit
from minitx.depth.groups import Group
from minitx.depth.halting import Poisson
from minitx.positions.rotary import Rotary
from minitx.token_mixers.masks import Causal
from minitx.token_mixers.switch_head import SwitchHead

_SWITCH_HEAD = "minitx.token_mixers.switch_head:SwitchHead"


def _sigma_moe(rng: np.random.Generator) -> SigmaMoE:
    return SigmaMoE(D_MODEL, 5, num_experts=3, top=2, rng=rng)


def _causal(rng: np.random.Generator, size: Size = SMALL) -> SwitchHead:
    position = Rotary(size.d_head)
    return SwitchHead(size.d_model, size.num_heads, 3, 2, position=position, mask=Causal(), rng=rng)


def _chosen_by_norm(rng: np.random.Generator) -> Block:
    norm = lambda: nn.LayerNorm(D_MODEL)  # noqa: E731
    return Block(_causal(rng), _sigma_moe(rng), norm=norm, connection=PeriNorm())


def _first_feature(x: Tensor) -> Tensor:
    return x[..., :1]


register(
    "channel_mixer",
    "sigma-MoE",
    "minitx.channel_mixers.sigma_moe:SigmaMoE",
    _sigma_moe,
    "zero_keeping",
)
register(
    "token_mixer",
    "SwitchHead",
    _SWITCH_HEAD,
    lambda rng, size=SMALL: SwitchHead(size.d_model, size.num_heads, 3, 2, rng=rng),
    "equivariant",
    cost=2.0,
)
register("token_mixer", "SwitchHead, causal", _SWITCH_HEAD, _causal, "causal recurrent", cost=2.0)
register(
    "connection",
    "peri-norm",
    "minitx.connections.peri_norm:PeriNorm",
    _chosen_by_norm,
    "keeps_stream",
)
register(
    "depth",
    "group",
    "minitx.depth.groups:Group",
    lambda rng: Group([_chosen_by_norm(rng), joined(PreNorm(), rng)], 2),
)
register(
    "depth",
    "early exit",
    "minitx.depth.early_exit:EarlyExit",
    lambda rng: EarlyExit([joined(PreNorm(), rng) for _ in range(3)], Poisson(_first_feature)),
)
register(
    "depth",
    "adaptive loop",
    "minitx.depth.adaptive:AdaptiveLoop",
    lambda rng: AdaptiveLoop(joined(PreNorm(), rng), D_MODEL, most=3, rng=rng),
)
