"""A sum over the past in three forms, a state that never grows, and what it cannot hold.

Softmax attention and linear attention race as twins: the same decoder, the same batches, another
token mixer.
"""

import time
from collections.abc import Callable

import numpy as np

from minitx import functional as F
from minitx import no_grad
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.context import Context, TokenMixer
from minitx.experiments import part
from minitx.experiments.language import (
    HEADS,
    LAYERS,
    D,
    Rng,
    decoder,
    held_out_loss,
    text,
    train,
)
from minitx.experiments.recall import Reader, accuracy
from minitx.experiments.timing import seconds
from minitx.positions import NoPosition
from minitx.token_mixers import Causal, LinearAttention, MultiHeadAttention, elu_plus_one
from minitx.token_mixers.linear_attention import WeightedMean

TWINS: dict[str, Callable[..., TokenMixer]] = {
    "linear": lambda d, heads, rng: LinearAttention(d, heads, mask=Causal(), rng=rng),
    "softmax": lambda d, heads, rng: MultiHeadAttention(d, heads, mask=Causal(), rng=rng),
}

# ------------------------------------------------------------------------- 1: three forms

FORMS = {
    "chunks": lambda q, k, v: F.linear_attention(q, k, v, chunk=32),
    "quadratic": F.quadratic_linear_attention,
    "recurrent": F.recurrent_linear_attention,
}


def weighted_mean(form: Callable, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal linear attention by one of FORMS: features, sums, division by their weights."""
    readout = WeightedMean()
    return readout.result(form(elu_plus_one(q), elu_plus_one(k), readout.values(v)))


@part(1)
def forms(seed: int = 0, length: int = 256) -> dict[str, float]:
    """Two heads of width 16 in float32: the largest differences between the forms."""
    rng = np.random.default_rng(seed)
    q, k, v = (Tensor(rng.standard_normal((1, 2, length, 16))) for _ in range(3))
    cotangent = Tensor(rng.standard_normal((1, length, 32)))
    found = {
        name: vjp(lambda *args, form=form: weighted_mean(form, *args), q, k, v)
        for name, form in FORMS.items()
    }
    values = [y.numpy() for y, _ in found.values()]
    gradients = [[g.numpy() for g in pull(cotangent)] for _, pull in found.values()]
    return {
        "values": max(np.abs(values[0] - other).max() for other in values[1:]),
        "gradients": max(
            np.abs(a - b).max()
            for other in gradients[1:]
            for a, b in zip(gradients[0], other, strict=True)
        ),
    }


# ------------------------------------------------------------------------- 2: generation


def seconds_per_token(
    kind: str, length: int, seed: int = 0, batch: int = 16
) -> tuple[np.ndarray, list[int]]:
    """(seconds of each step, numbers in the state after each), token by token, one layer."""
    rng = np.random.default_rng(seed)
    mixer, taken, sizes = TWINS[kind](D, HEADS, rng), np.zeros(length), []
    x = Tensor(rng.standard_normal((batch, 1, D)))
    with no_grad():
        state = mixer.init_state(batch)
        for t in range(length):
            ctx = Context(coords=np.full((1, 1, 1), t))
            start = time.perf_counter()
            _, state = mixer.step(x, state, ctx)
            taken[t] = time.perf_counter() - start
            held = [state] if isinstance(state, Tensor) else [state.keys.k, state.keys.v]
            sizes.append(sum(part.size for part in held))
    return taken, sizes


def slope(values: np.ndarray, at: np.ndarray) -> float:
    """The exponent with which ``values`` grow: the slope of their logarithms."""
    return float(np.polyfit(np.log(at), np.log(values), 1)[0])


def at_places(taken: np.ndarray, places: np.ndarray, around: int = 32) -> np.ndarray:
    """Medians of the seconds of the steps around each place."""
    return np.array([np.median(taken[p - around : p + around]) for p in places])


@part(2)
def generation(seed: int = 0) -> dict[str, float]:
    """Seconds for a token from 64 to 4096 (the state to 10,000), the cache's from 1024 on."""
    ours, sizes = seconds_per_token("linear", 10_064, seed)
    theirs, cached = seconds_per_token("softmax", 4128, seed)
    early_token, late_token = at_places(ours, np.array([100, 10_000]))
    places, late = 2 ** np.arange(6, 13), 2 ** np.arange(10, 13)
    return {
        "linear": slope(at_places(ours, places), places),
        "softmax": slope(at_places(theirs, late), late),
        "token 10,000": late_token / early_token,
        "state": sizes[-1] / sizes[100],
        "cache": slope(np.array(cached)[late - 1], late),
    }


# ------------------------------------------------------------------------- 3: training time


def training_seconds(kind: str, lengths: np.ndarray, seed: int = 0) -> np.ndarray:
    """Seconds of one forward and backward pass of one layer with one head, the best of three."""
    rng, found = np.random.default_rng(seed), []
    mixer = TWINS[kind](D, 1, rng)
    for length in lengths:
        x = Tensor(rng.standard_normal((1, length, D)))
        (taken,) = seconds(lambda x=x: F.mean(mixer(x)).backward(), runs=3)
        found.append(min(taken))
    return np.array(found)


@part(3)
def training_time(seed: int = 0) -> dict[str, float]:
    """Exponents of the seconds from 512 to 8192 tokens."""
    lengths = 2 ** np.arange(9, 14)
    return {kind: slope(training_seconds(kind, lengths, seed), lengths) for kind in TWINS}


# ------------------------------------------------------------------------- 4: quality


def language_loss(kind: str, seed: int = 0, steps: int = 400) -> float:
    """Nats a character on held-out documentation."""
    rng = np.random.default_rng(seed)
    mixers = [TWINS[kind](D, HEADS, rng) for _ in range(LAYERS)]
    model = decoder(mixers, rng, text().vocab_size)
    train(model, steps, seed)
    return held_out_loss(model)


@part(4)
def quality(seed: int = 0) -> float:
    """How much worse linear attention predicts than its twin, after equal steps."""
    return language_loss("linear", seed) - language_loss("softmax", seed)


# ------------------------------------------------------------------------- 5: recall

PAIRS, KEYS, VALUES, WIDTH = 16, 64, 16, 16


def questions(batch: int, rng: Rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """16 pairs of different keys, then the 16 keys in another order: keys, values, answers."""
    keys = rng.permuted(np.tile(np.arange(KEYS), (batch, 1)), axis=1)[:, :PAIRS]
    values = rng.integers(VALUES, size=keys.shape)
    order = rng.permuted(np.tile(np.arange(PAIRS), (batch, 1)), axis=1)
    asked, answers = (np.take_along_axis(part, order, axis=1) for part in (keys, values))
    none = np.full(keys.shape, VALUES)
    return np.concatenate([keys, asked], 1), np.concatenate([values, none], 1), answers


def recall_accuracy(kind: str, seed: int = 0, steps: int = 800) -> float:
    """The share of right answers to new questions after training, with two heads of width 8.

    A head's features have room for 8 keys that do not disturb one another.
    """
    rng = np.random.default_rng(seed)
    make = lambda rng: (TWINS[kind](WIDTH, 2, rng), NoPosition())  # noqa: E731
    return accuracy(Reader(KEYS, VALUES, WIDTH, make, rng), questions, rng, steps)


@part(5)
def recall(seed: int = 0) -> dict[str, float]:
    """The accuracy of softmax attention, and how much of it linear attention lacks."""
    softmax = recall_accuracy("softmax", seed)
    return {"softmax": softmax, "lack": softmax - recall_accuracy("linear", seed)}
