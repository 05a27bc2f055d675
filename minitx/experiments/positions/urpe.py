"""Equal tokens: what positions inside the softmax cannot say, and a factor after it can."""

import numpy as np

from minitx import functional as F
from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.positions.relative import URPE, T5Bias
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal
from minitx.training.adam import Adam

D, H, N = 24, 3, 32


def stack(layers: int, with_factor: bool, rng: np.random.Generator, mask=None) -> Stack:
    """Blocks whose attention has T5's biases and, if wanted, URPE's factors."""

    def block() -> Block:
        mixer = MultiHeadAttention(
            D, H, hooks=[T5Bias(H, rng=rng)], mask=mask, rng=rng,
            position=URPE(N, H) if with_factor else None,
        )  # fmt: skip
        return Block(mixer, MLP(D, 2 * D, rng=rng), norm=lambda: nn.LayerNorm(D))

    return Stack([block() for _ in range(layers)])


def shake(model: nn.Module, seed: int) -> nn.Module:
    """``model`` in float64 with random numbers in place of what starts as zeros and ones."""
    rng = np.random.default_rng(seed)
    model.to("float64")
    for parameter in model.parameters():
        parameter.assign(parameter.numpy() + 0.3 * rng.standard_normal(parameter.shape))
    return model


def equal_tokens(seed: int, count: int = 1) -> Tensor:
    """Sequences of one random vector, N times; another vector in each: (count, N, D)."""
    vectors = np.random.default_rng(seed).standard_normal((count, 1, D))
    return Tensor(np.broadcast_to(vectors, (count, N, D)).copy(), dtype=np.float64)


def spread(model: nn.Module, x: Tensor) -> float:
    """How far apart the outputs of the positions are."""
    y = model(x).numpy()[0]
    return float(np.abs(y - y[:1]).max())


@part(1)
def constant_input(seed: int = 0) -> dict[str, float]:
    rng, x = np.random.default_rng(seed), equal_tokens(seed + 1)
    plain = [shake(stack(4, False, rng, mask), seed) for mask in (None, Causal())]
    placed = [shake(stack(4, True, rng, mask), seed) for mask in (None, Causal())]
    ones = shake(stack(4, True, rng), seed)
    for block in ones.blocks:
        factors = block.sublayers[0].hooks[-1].factors
        factors.assign(np.ones(factors.shape))
    same = stack(4, False, rng).to("float64")
    same.load_state_dict({k: v for k, v in ones.state_dict().items() if "factors" not in k})
    z = Tensor(rng.standard_normal((2, N, D)), dtype=np.float64)
    return {
        "relative bias": max(spread(model, x) for model in plain),
        "multiplier": min(spread(model, x) for model in placed),
        "multiplier 1": float(np.abs(ones(z).numpy() - same(z).numpy()).max()),
    }


def accuracy(with_factor: bool, labels: np.ndarray, seed: int, steps: int = 1000) -> float:
    """The share of positions whose label two layers learn to tell, in 16 sequences of equal tokens.

    Without the factor all logits of a sequence are equal but for rounding, which then chooses: the
    more sequences, the closer to the chance that it stands for.
    """
    rng = np.random.default_rng(seed)
    body, head = stack(2, with_factor, rng), nn.Linear(D, int(labels.max()) + 1, rng=rng)
    x = Tensor(equal_tokens(seed, 16).numpy())
    targets = np.broadcast_to(labels, (16, N))
    optimiser = Adam([*body.parameters(), *head.parameters()], lr=3e-3)
    for step in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(head(body(x)), targets).backward()
        optimiser.step(1 - step / steps)  # the rate falls to 0
    return float(np.mean(head(body(x)).numpy().argmax(-1) == targets))


@part(2)
def learnt(seed: int = 0) -> dict[str, float]:
    place = np.arange(N)
    return {
        f"{name}, {task}": accuracy(with_factor, labels, seed)
        for name, with_factor in (("bias", False), ("multiplier", True))
        for task, labels in (("position", place), ("parity", place % 2))
    }
