"""Maps that the battery walks: the topics of a survey, a law each."""

from typing import Any

import numpy as np

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.channel_mixers.mlp import MLP
from minitx.contracts.battery import D_MODEL, NUM_HEADS, tokens
from minitx.contracts.maps import Topic
from minitx.contracts.variants.register import register

Rng = np.random.Generator
Sides = tuple[np.ndarray, np.ndarray]


def _tokens(rng: Rng) -> Tensor:
    return tokens(seed=int(rng.integers(1000)))


def _double(module: nn.Module) -> nn.Module:
    return module.to("float64").eval()


def weighted_mean(attention: Any, rng: Rng) -> Sides:
    """Y = A V with the columns of A (our rows) the softmax of q k / sqrt(d), summing to one."""
    q, k, v = (rng.standard_normal((1, 1, 7, 4)) for _ in range(3))
    y = attention(*(Tensor(x, dtype=np.float64) for x in (q, k, v)))
    A = np.exp(q[0, 0] @ k[0, 0].T / 2)
    return y.numpy()[0, 0], A / A.sum(1, keepdims=True) @ v[0, 0]


def commutes_with_order(mixer: Any, rng: Rng) -> Sides:
    """Stage 1 treats tokens as a set: shuffled tokens give shuffled results."""
    made, x, order = _double(mixer(D_MODEL, NUM_HEADS, rng=rng)), _tokens(rng), rng.permutation(7)
    return made(x[:, order]).numpy(), made(x).numpy()[:, order]


def token_by_token(mlp: Any, rng: Rng) -> Sides:
    """Stage 2 has the same weights for every token, and no token hears another."""
    made, x = _double(mlp(D_MODEL, rng=rng)), _tokens(rng)
    alone = [made(x[:, t : t + 1]).numpy() for t in range(x.shape[1])]
    return made(x).numpy(), np.concatenate(alone, axis=1)


def standardised(norm: Any, rng: Rng) -> Sides:
    """Every token is brought to mean 0 and variance 1, whatever the others are."""
    x = _tokens(rng)
    made = _double(norm(D_MODEL, eps=0.0))
    centred = x.numpy() - x.numpy().mean(-1, keepdims=True)
    return made(x).numpy(), centred / centred.std(-1, keepdims=True)


def adds_each_stage(block: Any, rng: Rng) -> Sides:
    """X + f(norm X), stage by stage: the block adds to the stream and never replaces it."""
    first, second = (MLP(D_MODEL, rng=rng).to("float64") for _ in range(2))
    made, x = _double(block(first, second, norm=lambda: nn.LayerNorm(D_MODEL))), _tokens(rng)
    norms = [nn.LayerNorm(D_MODEL).to("float64") for _ in range(2)]
    middle = x + first(norms[0](x))
    return made(x).numpy(), (middle + second(norms[1](middle))).numpy()


def places_are_added(position: Any, rng: Rng) -> Sides:
    """What is added to a token depends on its place and not on the token."""
    made, places = position(D_MODEL), rng.integers(50, size=(1, 7, 1))
    x, other = _tokens(rng), Tensor(rng.standard_normal((2, 7, D_MODEL)), dtype=np.float64)
    return (made.input(x, places) - x).numpy(), (made.input(other, places) - other).numpy()


def no_future(causal: Any, rng: Rng) -> Sides:
    """With the mask one pass gives all predictions: no token hears a later one."""
    from minitx.token_mixers.attention import MultiHeadAttention

    made, x = _double(MultiHeadAttention(D_MODEL, NUM_HEADS, mask=causal(), rng=rng)), _tokens(rng)
    begun = [made(x[:, : t + 1]).numpy()[:, -1:] for t in range(x.shape[1])]
    return made(x).numpy(), np.concatenate(begun, axis=1)


def patches_lose_nothing(to_patches: Any, rng: Rng) -> Sides:
    """An image as a sequence of patches holds the same numbers, each patch a square of it."""
    image = rng.standard_normal((1, 6, 4, 3))
    squares = [image[0, i : i + 2, j : j + 2].ravel() for i in (0, 2, 4) for j in (0, 2)]
    return np.asarray(to_patches(image, 2))[0], np.stack(squares)


def mean_of_tokens(pool: Any, rng: Rng) -> Sides:
    """A class can be read from the mean of all tokens, in place of a token of its own."""
    x = _tokens(rng)
    return pool(x).numpy(), x.numpy().mean(1)


def introduction(rng: Rng) -> list[Topic]:
    """The topics of Turner, "An Introduction to Transformers" (2023), in its order."""
    return [
        Topic("images as tokens", "tokens", "minitx.tokens:to_patches", patches_lose_nothing),
        Topic("attention", "attention", "minitx.functional:attention", weighted_mean),
        Topic(
            "stage 1, across the sequence",
            "attention",
            "minitx.token_mixers:MultiHeadAttention",
            commutes_with_order,
        ),
        Topic("stage 2, across features", "block", "minitx.channel_mixers:MLP", token_by_token),
        Topic("normalisation of tokens", "block", "minitx.nn:LayerNorm", standardised),
        Topic("the block", "block", "minitx.block:Block", adds_each_stage),
        Topic("positions", "positions", "minitx.positions:Sinusoidal", places_are_added),
        Topic("autoregression", "decoder", "minitx.token_mixers:Causal", no_future),
        Topic("classification", "encoder", "minitx.models:mean_pool", mean_of_tokens),
    ]


register("map", "introduction to transformers", "minitx.block:Block", introduction)
