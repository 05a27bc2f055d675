"""A norm that folds away, and a convolution that gives linear attention its rank back.

A vision transformer with six blocks reads the digits in patches of two by two pixels, with one of
three norms: a layer norm, a batch norm, and one that goes from the first to the second.
"""

import statistics
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from minitx import data, nn, no_grad
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.context import Context
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.models import ViT, folded, initialise
from minitx.token_mixers import MultiHeadAttention, SimplifiedLinearAttention
from minitx.token_mixers.simplified_linear import linear_order, quadratic_order
from minitx.training.adam import AdamW
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

Rng = np.random.Generator
WIDTH, HEADS, LAYERS = 32, 4, 6
Norm = Callable[[], nn.Module]

NORMS: dict[str, Norm] = {
    "layer": lambda: nn.LayerNorm(WIDTH),
    "progressive": lambda: nn.ProgressiveNorm(WIDTH),
    "batch": lambda: nn.BatchNorm(WIDTH),
}


def classifier(norm: Norm, rng: Rng) -> ViT:
    """Images (B, 8, 8, 1), patches of 2 x 2 -> (B, 10), pre-norm."""

    def block() -> Block:
        attention = MultiHeadAttention(WIDTH, HEADS, rng=rng)
        return Block(attention, MLP(WIDTH, rng=rng), norm=norm)

    patches, depth = nn.Linear(4, WIDTH, rng=rng), Stack([block() for _ in range(LAYERS)])
    model = ViT((8, 8, 1), 2, patches, depth, norm(), num_classes=10, rng=rng)
    return initialise(model, WIDTH, LAYERS, rng)


def images() -> tuple[data.Images, data.Images]:
    return data.train_test_split(data.digits(), np.random.default_rng(7))


@cache
def trained(kind: str, seed: int = 0, steps: int = 400, batch: int = 64) -> ViT:
    """The classifier after training, in evaluation mode; the share falls over half the steps."""
    rng, (train, _) = np.random.default_rng(seed), images()
    model = classifier(NORMS[kind], rng)
    optimiser = AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = warm_up_cosine(steps // 10, steps)
    for step in range(steps):
        nn.set_share(model, step, steps // 2)
        rows = rng.integers(len(train.labels), size=batch)
        optimiser.zero_grad()
        model.loss(train.images[rows], train.labels[rows]).backward()
        clip_norm(model.parameters(), 1.0)
        optimiser.step(schedule(step))
    return model.eval()


def logits(model: nn.Module) -> np.ndarray:
    """Of the held-out digits."""
    with no_grad():
        return model(images()[1].images).numpy()


# ------------------------------------------------------------------------- 1: folding


def norms_in(model: nn.Module) -> int:
    kinds = (nn.LayerNorm, nn.BatchNorm)
    return sum(isinstance(part, kinds) for part in model.modules())


@part(1)
def folding(seed: int = 0, steps: int = 20) -> dict[str, float]:
    """After 20 steps of training: largest change of a logit, norms left."""
    model = trained("progressive", seed, steps)
    bare = folded(model)
    return {
        "logits": np.abs(logits(bare) - logits(model)).max(),
        "norms left": norms_in(bare),
    }


@part(2)
def speed(seed: int = 0, runs: int = 15) -> float:
    """Seconds of a forward pass over the held-out digits with layer norms over those with none."""
    held = images()[1].images
    models = [trained("layer", seed, 20), folded(trained("progressive", seed, 20))]
    taken = [[] for _ in models]
    with no_grad():
        for _ in range(runs):
            for model, found in zip(models, taken, strict=True):
                start = time.thread_time()
                model(held)
                found.append(time.thread_time() - start)
    with_norms, without = map(statistics.median, taken)
    return with_norms / without


# ------------------------------------------------------------------------- 3: two orders


@part(3)
def orders(seed: int = 0, count: int = 49) -> float:
    """q (k^T v) against (q k^T) v, divided by the sums of weights: the largest difference."""
    rng = np.random.default_rng(seed)
    mixer = SimplifiedLinearAttention(WIDTH, HEADS, rng=rng)
    x = Tensor(rng.standard_normal((1, count, WIDTH)))
    with no_grad():
        q, k, v, _ = mixer.project(x, Context.of(x))
        a, b = (mixer.readout.result(order(q, k, v)) for order in (linear_order, quadratic_order))
    return np.abs(a.numpy() - b.numpy()).max()


# ------------------------------------------------------------------------- 4: digits


def accuracy(kind: str, seed: int = 0) -> float:
    """The share of the held-out digits that are told apart after training."""
    return float((logits(trained(kind, seed)).argmax(-1) == images()[1].labels).mean())


@part(4)
def digits(seed: int = 0) -> dict[str, float]:
    """How far the progressive norm and a batch norm are behind the layer norm."""
    best = accuracy("layer", seed)
    behind = {kind: best - accuracy(kind, seed) for kind in ("progressive", "batch")}
    return {"layer norm": best} | behind


# ------------------------------------------------------------------------- 5: rank


@part(5)
def ranks(seed: int = 0, side: int = 8, d_head: int = 8) -> dict[str, float]:
    """One head of width 8 over a grid of 8 x 8: rank of its matrix, alone and with the convolution.

    The convolution is another matrix for each channel; the smallest rank of all channels counts.
    """
    rng = np.random.default_rng(seed)
    mixer = SimplifiedLinearAttention(d_head, 1, bias=False, rng=rng).to(np.float64)
    count = side * side
    x = Tensor(rng.standard_normal((1, count, d_head)), dtype=np.float64)
    ctx = Context.of(x, grid=(side, side))
    weights = mixer.weights(x, ctx).numpy()[0, 0]
    weights /= weights.sum(-1, keepdims=True) + mixer.readout.eps
    taps = mixer.convolution.weight
    each = Tensor(np.eye(count).reshape(count, side, side, 1), dtype=np.float64)  # a pixel each
    found = []
    for channel in range(d_head):
        moved = F.conv2d(each, taps[channel : channel + 1], padding="same").numpy()
        found.append(np.linalg.matrix_rank(weights + moved.reshape(count, count).T))
    return {"alone": np.linalg.matrix_rank(weights), "with convolution": min(found)}
