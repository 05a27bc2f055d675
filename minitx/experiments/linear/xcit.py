"""Attention between channels: what copies of tokens change, what it costs, what it lacks.

On the digits every pixel is a token (64 of them). Three models race: blocks of cross-covariance
attention, local interaction and an MLP, with two layers that read; the same without the local part;
and a vision transformer with softmax attention, of the same width and depth.
"""

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from minitx import data, nn, no_grad
from minitx import functional as F
from minitx.autograd import naive_twins
from minitx.autograd.tensor import Tensor
from minitx.context import TokenMixer
from minitx.contracts.battery import work
from minitx.experiments import part
from minitx.models import ViT, XCiT
from minitx.token_mixers import CrossCovarianceAttention, LinearAttention, MultiHeadAttention
from minitx.token_mixers.linear_attention import Readout
from minitx.training.adam import AdamW
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

Rng = np.random.Generator
D, HEADS = 64, 4

# ------------------------------------------------------------------------- 1: copies of tokens


def tokens(count: int, seed: int = 0, d_model: int = D, dtype: type = np.float64) -> Tensor:
    values = np.random.default_rng(seed).standard_normal((1, count, d_model))
    return Tensor(values, dtype=dtype)


@part(1)
def copies(seed: int = 0, count: int = 19, times: int = 5) -> dict[str, float]:
    """Every token five times, and all in another order: what changes, relative to the output."""
    rng, x = np.random.default_rng(seed), tokens(count, seed)
    order = rng.permutation(count)
    channels = CrossCovarianceAttention(D, HEADS, bias=False, rng=rng).to(np.float64)
    plain = LinearAttention(D, HEADS, readout=Readout(), bias=False, rng=rng).to(np.float64)
    many = Tensor(np.repeat(x.numpy(), times, axis=1), dtype=np.float64)
    with no_grad():
        y, z = channels(x).numpy(), plain(x).numpy()
        shuffled = channels(x[:, order]).numpy()
        q, k, _ = channels.project(x)
        cosines = np.abs((F.swapaxes(k, -1, -2) @ q).numpy()).max()
        repeated, grown = channels(many).numpy(), plain(many).numpy()
    return {
        "copies": np.abs(repeated - np.repeat(y, times, axis=1)).max(),
        "order": np.abs(shuffled - y[:, order]).max(),
        "cosines": float(cosines),
        "linear attention": float(np.linalg.norm(grown[:, ::times]) / np.linalg.norm(z)),
    }


# ------------------------------------------------------------------------- 2: one spectrum


@part(2)
def spectra(seed: int = 0, count: int = 24, d_model: int = 10) -> float:
    """X X^T (24 x 24) and X^T X (10 x 10): the largest difference of eigenvalues, relative."""
    x = np.random.default_rng(seed).standard_normal((count, d_model))
    gram, covariance = np.linalg.eigvalsh(x @ x.T), np.linalg.eigvalsh(x.T @ x)
    padded = np.concatenate([np.zeros(count - d_model), covariance])
    return float(np.abs(gram - padded).max() / gram.max())


# ------------------------------------------------------------------------- 3: cost


def products(mixer: TokenMixer, count: int) -> float:
    """Multiplications on the way to the output, counted in the graph of the naive twins."""
    with naive_twins():
        return work(mixer(tokens(count, dtype=np.float32)))


def seconds(mixer: TokenMixer, count: int) -> float:
    """Forward and backward, the best of three."""
    x, taken = tokens(count, dtype=np.float32), []
    for _ in range(3):
        start = time.thread_time()
        F.mean(F.square(mixer(x))).backward()
        taken.append(time.thread_time() - start)
    return min(taken)


def slope(values: list[float], at: np.ndarray) -> float:
    return float(np.polyfit(np.log(at), np.log(values), 1)[0])


@part(3)
def cost(seed: int = 0) -> dict[str, float]:
    """Exponents from 512 to 8192 tokens of width 64; softmax attention's products to 2048."""
    counts = 2 ** np.arange(9, 14)
    channels, softmax = (
        cls(D, 1, rng=seed) for cls in (CrossCovarianceAttention, MultiHeadAttention)
    )
    return {
        "products": slope([products(channels, n) for n in counts], counts),
        "seconds": slope([seconds(channels, n) for n in counts], counts),
        "softmax": slope([products(softmax, n) for n in 4 * counts[:3]], 4 * counts[:3]),
    }


# ------------------------------------------------------------------------- 4: digits

WIDTH, LAYERS = 32, 3


def full(rng: Rng) -> nn.Module:
    return XCiT.plain((8, 8, 1), 1, WIDTH, HEADS, LAYERS, 10, rng=rng)


def without_local(rng: Rng) -> nn.Module:
    """The same model, its local interaction taken out of every block."""
    model = full(rng)
    for block in model.depth.blocks:
        additions = block.connection.additions
        block.sublayers, block.norms = block.sublayers[::2], block.norms[::2]
        block.connection.additions = additions[::2]
    return model


MODELS: dict[str, Callable[[Rng], nn.Module]] = {
    "XCiT": full,
    "without local": without_local,
    "ViT": lambda rng: ViT.plain(8, 1, WIDTH, HEADS, LAYERS, 10, channels=1, rng=rng),
}


@cache
def digits_accuracy(kind: str, seed: int = 0, epochs: int = 10, batch: int = 64) -> float:
    """The share of the held-out digits that are told apart after training."""
    rng = np.random.default_rng(seed)
    train, test = data.train_test_split(data.digits(), np.random.default_rng(7))
    model = MODELS[kind](rng)
    optimiser = AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    steps = epochs * (len(train.labels) // batch)
    schedule = warm_up_cosine(steps // 10, steps)
    for step in range(steps):
        rows = rng.integers(len(train.labels), size=batch)
        optimiser.zero_grad()
        model.loss(train.images[rows], train.labels[rows]).backward()
        clip_norm(model.parameters(), 1.0)
        optimiser.step(schedule(step))
    model.eval()
    with no_grad():
        return float((model(test.images).numpy().argmax(-1) == test.labels).mean())


@part(4)
def digits(seed: int = 0) -> dict[str, float]:
    """The accuracy, what softmax attention has more, and what is lost without the local part."""
    found = digits_accuracy("XCiT", seed)
    return {
        "XCiT": found,
        "behind ViT": digits_accuracy("ViT", seed) - found,
        "local part": found - digits_accuracy("without local", seed),
    }
