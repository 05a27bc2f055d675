"""A memory that corrects itself: three forms, what chunks save, and what overwriting is worth.

The race is about a table whose entries change: pairs of a key and a value, most keys written more
than once, then each key is asked for its latest value.
"""

import statistics
from collections.abc import Callable
from functools import cache

import numpy as np

from minitx import functional as F
from minitx import no_grad
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.context import TokenMixer
from minitx.experiments import part
from minitx.experiments.recall import Reader, accuracy
from minitx.experiments.timing import seconds
from minitx.positions import Hooks, Learned, NoPosition
from minitx.token_mixers import Causal, DeltaNet, LinearAttention

Rng = np.random.Generator
Arguments = list[Tensor]  # q, k, v, beta

# ------------------------------------------------------------------------- 1: three forms


def arguments(length: int, heads: int = 2, d_head: int = 16, seed: int = 0) -> Arguments:
    """Random q, k of length 1, v and beta for ``heads`` heads, in float32."""
    rng = np.random.default_rng(seed)
    q, k, v = rng.standard_normal((3, 1, heads, length, d_head))
    q, k = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (q, k))
    return [Tensor(x) for x in (q, k, v, rng.random((1, heads, length)))]


@part(1)
def forms(seed: int = 0, length: int = 256) -> dict[str, float]:
    """Chunks of 1, 8, 16 and 64 against the loop over tokens: the largest differences."""
    args = arguments(length, seed=seed)
    expected, pull = vjp(F.recurrent_delta_rule, *args)
    cotangent = Tensor(np.random.default_rng(seed + 1).standard_normal(expected.shape))
    wanted = pull(cotangent)
    found = {"values": 0.0, "gradients": 0.0}
    for chunk in (1, 8, 16, 64):
        y, pull = vjp(lambda *args, chunk=chunk: F.delta_rule(*args, chunk=chunk), *args)
        gaps = [
            np.abs(a.numpy() - b.numpy()).max()
            for a, b in zip([y, *pull(cotangent)], [expected, *wanted], strict=True)
        ]
        found["values"] = max(found["values"], gaps[0])
        found["gradients"] = max(found["gradients"], *gaps[1:])
    return found


# ------------------------------------------------------------------------- 2: speed


def loop(q: np.ndarray, k: np.ndarray, v: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The recurrence of one head, step by step, with as little as possible in a step."""
    y, state = np.empty_like(v), np.zeros((k.shape[-1], v.shape[-1]), k.dtype)
    for t in range(len(q)):
        state += k[t, :, None] * (beta[t] * (v[t] - k[t] @ state))
        np.matmul(q[t], state, out=y[t])
    return y


def times_faster(length: int, chunk: int, seed: int = 0) -> float:
    """Seconds of the loop over those of chunks, medians; one head of width 64, forwards."""
    args = arguments(length, heads=1, d_head=64, seed=seed)
    arrays = [x.numpy()[0, 0] for x in args]
    with no_grad():
        taken = seconds(lambda: loop(*arrays), lambda: F.delta_rule(*args, chunk=chunk))
    slow, fast = map(statistics.median, taken)
    return slow / fast


def training_seconds(length: int, seed: int = 0) -> tuple[float, float]:
    """The least seconds forwards, and forwards and backwards, one head of width 64."""
    args = arguments(length, heads=1, d_head=64, seed=seed)
    leaves = [Tensor(x, requires_grad=True) for x in args]
    cotangent = Tensor(np.ones((1, 1, length, 64)))
    with no_grad():
        (forward,) = seconds(lambda: F.delta_rule(*args))
    (both,) = seconds(lambda: F.delta_rule(*leaves).backward(cotangent))
    return min(forward), min(both)


@part(2)
def speed(seed: int = 0) -> dict[str, float]:
    """How many times faster chunks are, and how seconds grow from 2048 to 16,384 tokens."""
    lengths = 2 ** np.arange(11, 15)
    taken = np.array([training_seconds(length, seed) for length in lengths])
    forward, both = np.polyfit(np.log(lengths), np.log(taken), 1)[0]
    found = {
        (length, chunk): times_faster(length, chunk, seed)
        for length in (2048, 4096)
        for chunk in (32, 64)
    }
    return {
        "2048, best chunk": max(found[2048, 32], found[2048, 64]),
        "2048, chunks of 64": found[2048, 64],
        "4096, best chunk": max(found[4096, 32], found[4096, 64]),
        "forwards": float(forward),
        "and backwards": float(both),
    }


# ------------------------------------------------------------------------- 3: overwriting


@part(3)
def overwriting(seed: int = 0, d_head: int = 32) -> dict[str, float]:
    """32 orthonormal keys are written, then 16 of them again; all are asked. Relative errors."""
    rng = np.random.default_rng(seed)
    keys = np.linalg.qr(rng.standard_normal((d_head, d_head)))[0]
    again = rng.permutation(d_head)[: d_head // 2]
    values, later = rng.standard_normal((2, d_head, d_head))
    latest = values.copy()
    latest[again] = later[again]
    written = np.concatenate([np.arange(d_head), again, np.arange(d_head)])
    said = np.concatenate([values, later[again], np.zeros_like(values)])
    writes = (np.arange(len(written)) < d_head + len(again)).astype(float)
    q, k, v, beta = (Tensor(x[None, None]) for x in (keys[written], keys[written], said, writes))
    plain = F.linear_attention(q, k * beta[..., None], v)
    found = {}
    for name, y in {"delta rule": F.delta_rule(q, k, v, beta), "sum": plain}.items():
        error = (y.numpy()[0, 0, -d_head:] - latest)[again]
        found[name] = float(np.linalg.norm(error) / np.linalg.norm(latest[again]))
    return found


# ------------------------------------------------------------------------- 4: learnt recall

KEYS, VALUES, NAMES, WRITES, WIDTH = 32, 16, 8, 24, 32


def _linear(rng: Rng) -> TokenMixer:
    return LinearAttention(WIDTH, 2, mask=Causal(), rng=rng)


KINDS: dict[str, Callable[[Rng], tuple[TokenMixer, Hooks]]] = {
    "delta": lambda rng: (DeltaNet(WIDTH, 2, rng=rng), NoPosition()),
    "linear": lambda rng: (_linear(rng), NoPosition()),
    "linear, positions": lambda rng: (
        _linear(rng),
        Learned(WRITES + NAMES, WIDTH, rng=rng),
    ),
}


def questions(batch: int, rng: Rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """24 writes to 8 keys (each at least once), then the 8: keys, values, the latest values."""
    names = rng.permuted(np.tile(np.arange(KEYS), (batch, 1)), axis=1)[:, :NAMES]
    each = np.tile(np.arange(NAMES), (batch, 1))
    more = rng.integers(NAMES, size=(batch, WRITES - NAMES))
    written = rng.permuted(np.concatenate([each, more], axis=1), axis=1)  # (B, WRITES)
    values = rng.integers(VALUES, size=written.shape)
    order = rng.permuted(each, axis=1)
    last = WRITES - 1 - (written[:, ::-1, None] == order[:, None]).argmax(axis=1)  # (B, NAMES)
    answers = np.take_along_axis(values, last, axis=1)
    keys = np.take_along_axis(names, np.concatenate([written, order], axis=1), axis=1)
    return keys, np.concatenate([values, np.full_like(order, VALUES)], axis=1), answers


@cache
def recall_accuracy(kind: str, seed: int = 0, steps: int = 800) -> float:
    """The share of right answers to new questions after training."""
    rng = np.random.default_rng(seed)
    return accuracy(Reader(KEYS, VALUES, WIDTH, KINDS[kind], rng), questions, rng, steps)


@part(4)
def recall(seed: int = 0) -> dict[str, float]:
    """The accuracies without positions, and how far the delta rule is ahead of a sum with them."""
    found = {kind: recall_accuracy(kind, seed) for kind in KINDS}
    ahead = found["delta"] - found.pop("linear, positions")
    return found | {"ahead of linear with positions": ahead}
