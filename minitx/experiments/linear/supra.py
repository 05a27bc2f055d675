"""A trained softmax decoder made recurrent: what is kept, what comes back, what is lost.

The teacher learns for 400 steps. Its linear copy keeps every weight and learns for 80 more; the
same architecture learns for 80 steps from nothing.
"""

from functools import cache

import numpy as np

from minitx import functional as F
from minitx import no_grad
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.context import Context
from minitx.experiments import part
from minitx.experiments.language import HEADS, D, Rng, decoder, held_out_loss, text, train
from minitx.models import Decoder
from minitx.positions import NoPosition, Rotary
from minitx.token_mixers import SUPRA, Causal, MultiHeadAttention, linearised

STEPS, AGAIN = 400, 80

# ----------------------------------------------------------------------- 1: three forms


def forms(dtype: type, seed: int = 0, length: int = 150) -> float:
    """The largest difference, in value or gradient, between chunks and the two other forms.

    Relative to the largest number of each: a layer of SUPRA's features and decays, whose output a
    norm for each head has made independent of the size of its sums.
    """
    rng = np.random.default_rng(seed)
    mixer = SUPRA(24, 3, position=Rotary(8), rng=rng).to(dtype)
    x = Tensor(rng.standard_normal((2, length, 24)), dtype=dtype)
    cotangent = Tensor(rng.standard_normal(x.shape), dtype=dtype)

    def layer(form):
        def function(x):
            y = form(*mixer.project(x, Context.of(x)))
            return mixer.out(mixer.readout.result(y))

        y, pull = vjp(function, x)
        return y.numpy(), pull(cotangent)[0].numpy()

    chunks = layer(F.linear_attention)
    others = [layer(F.quadratic_linear_attention), layer(F.recurrent_linear_attention)]
    with no_grad():
        state, steps = mixer.init_state(2), []
        for t in range(length):
            ctx = Context(coords=np.full((1, 1, 1), t))
            y, state = mixer.step(x[:, t : t + 1], state, ctx)
            steps.append(y.numpy())
    pairs = [(a, b) for other in others for a, b in zip(other, chunks, strict=True)]
    pairs.append((np.concatenate(steps, axis=1), chunks[0]))
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


@part(1)
def exact_forms(seed: int = 0) -> dict[str, float]:
    return {"float32": forms(np.float32, seed), "float64": forms(np.float64, seed)}


# ----------------------------------------------------------------------- 2: training again


def teacher(rng: Rng) -> Decoder:
    """Two layers of softmax attention with rotary positions."""
    rotary = Rotary(D // HEADS)
    mixers = [
        MultiHeadAttention(D, HEADS, position=rotary, mask=Causal(), rng=rng) for _ in range(2)
    ]
    return decoder(mixers, rng, text().vocab_size, position=NoPosition())


@cache
def losses(seed: int = 0) -> dict[str, float]:
    """Held-out nats a character of the teacher, of its copy before and after, and from nothing."""
    softmax = teacher(np.random.default_rng(seed))
    scratch = linearised(softmax)  # the weights that the teacher begins with
    train(softmax, STEPS, seed)
    copy = linearised(softmax)
    found = {"teacher": held_out_loss(softmax), "converted": held_out_loss(copy)}
    for name, model in {"trained again": copy, "from nothing": scratch}.items():
        train(model, AGAIN, seed + 100)
        found[name] = held_out_loss(model)
    return found


@part(2)
def conversion(seed: int = 0) -> dict[str, float]:
    """Nats won over training from nothing, left to the teacher, and lost by converting alone."""
    found = losses(seed)
    return {
        "won": found["from nothing"] - found["trained again"],
        "to the teacher": found["trained again"] - found["teacher"],
        "converting alone": found["converted"] - found["teacher"],
    }


# ----------------------------------------------------------------------- 3: what is lost


def unit(rng: Rng, *shape: int) -> np.ndarray:
    """Random vectors of length 1 along the last axis."""
    x = rng.standard_normal(shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def looked_up(keys: np.ndarray, values: np.ndarray, sharpness: float | None = None) -> float:
    """The share of keys (n, d) answered by the nearest value (n, d) being their own.

    A sum of outer products; or, with ``sharpness``, a softmax over all keys.
    """
    scores = keys @ keys.T
    if sharpness is None:
        found = keys @ (keys.T @ values)  # q S, S = sum of k v^T
    else:
        weights = np.exp(sharpness * (scores - scores.max(axis=1, keepdims=True)))
        found = weights / weights.sum(axis=1, keepdims=True) @ values
    distance = ((found[:, None] - values) ** 2).sum(-1)
    return float((distance.argmin(1) == np.arange(len(keys))).mean())


@part(3)
def memory(seed: int = 0, width: int = 8, repeats: int = 20) -> dict[str, float]:
    """A matrix of 8 x 8 holds 8 orthonormal keys, not 64 random ones; a softmax holds these too."""
    rng, few, many, softmax = np.random.default_rng(seed), [], [], []
    for _ in range(repeats):
        orthonormal = np.linalg.qr(rng.standard_normal((width, width)))[0]
        few.append(looked_up(orthonormal, unit(rng, width, width)))
        keys, values = unit(rng, 64, width), unit(rng, 64, width)
        many.append(looked_up(keys, values))
        softmax.append(looked_up(keys, values, 100.0))
    return {
        "8 orthonormal": float(np.mean(few)),
        "64 random": float(np.mean(many)),
        "softmax": float(np.mean(softmax)),
    }
