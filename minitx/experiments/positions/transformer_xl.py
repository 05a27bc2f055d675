"""Segments with a memory: the same as one long pass, further than one segment, and cheaper.

A value is written once, in the first of three segments; after it only keys come. In the second
segment it can be read from the memory; in the third it is out of reach, and has to be passed on
by what deeper layers kept of the second.
"""

import time
from typing import NamedTuple

import numpy as np

from minitx import functional as F
from minitx import nn, no_grad
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.models.decoder import Decoder
from minitx.positions.transformer_xl import TransformerXL
from minitx.token_mixers import CrossAttention
from minitx.token_mixers.masks import Causal
from minitx.token_mixers.segment_memory import SegmentMemory
from minitx.training.adam import Adam

SEGMENT = 16


def transformer_xl(
    vocab_size: int, d_model: int, num_heads: int, memory: int, rng: np.random.Generator
) -> Decoder:
    """Three layers that each keep the last ``memory`` tokens of what they were given."""

    def block() -> Block:
        position = TransformerXL(num_heads, d_model // num_heads, rng=rng)
        attention = CrossAttention(d_model, num_heads, position=position, mask=Causal(), rng=rng)
        mixer = SegmentMemory(attention, memory)
        return Block(mixer, MLP(d_model, rng=rng), norm=lambda: nn.LayerNorm(d_model))

    tokens, depth = nn.Embedding(vocab_size, d_model, rng=rng), Stack([block() for _ in range(3)])
    return Decoder(tokens, depth, nn.LayerNorm(d_model), rng=rng)


def by_segments(model: Decoder, ids: np.ndarray, length: int = SEGMENT) -> np.ndarray:
    """The logits (B, T, V), computed one segment after the other."""
    state, found = model.init_state(len(ids)), []
    with no_grad():
        for start in range(0, ids.shape[1], length):
            logits, state = model.step(ids[:, start : start + length], state)
            found.append(logits.numpy())
    return np.concatenate(found, axis=1)


@part(1)
def one_pass(seed: int = 0) -> float:
    """53 tokens in segments of 16, the last one cut short, against one pass over them all."""
    rng = np.random.default_rng(seed)
    model = transformer_xl(11, 24, 3, memory=53, rng=rng)
    ids = rng.integers(11, size=(2, 53))
    with no_grad():
        whole = model(ids).numpy()
    return np.abs(by_segments(model, ids) - whole).max()


# ----------------------------------------------------------------------------------- 2: recall


class Recall(NamedTuple):
    """ids (B, T): two keys with their values, then those keys again, in any order.

    values (B, T): what the key at each place stands for. distance (B, T): how many tokens ago
    that value was written, 0 where nothing is asked.
    """

    ids: np.ndarray
    values: np.ndarray
    distance: np.ndarray


def recall(
    batch_size: int, rng: np.random.Generator, num_keys: int = 4, num_values: int = 8
) -> Recall:
    """Three segments of the task; ids of values come after those of keys."""
    length = 3 * SEGMENT
    keys = rng.permuted(np.tile(np.arange(num_keys), (batch_size, 1)), axis=1)[:, :2]
    values = rng.integers(num_values, size=(batch_size, 2))
    written = np.stack([keys, num_keys + values], axis=-1).reshape(batch_size, 4)
    asked = rng.integers(2, size=(batch_size, length - 4))  # the first key or the second
    ids = np.concatenate([written, np.take_along_axis(keys, asked, axis=1)], axis=1)
    answers = np.pad(np.take_along_axis(values, asked, axis=1), [(0, 0), (4, 0)])
    distance = np.pad(np.arange(4, length) - (1 + 2 * asked), [(0, 0), (4, 0)])
    return Recall(ids, answers, distance)


def trained(memory: int, seed: int = 0, steps: int = 200) -> Decoder:
    """A model that has learnt from ``steps`` batches, segment by segment, its memory carried."""
    rng = np.random.default_rng(seed)
    model = transformer_xl(12, 32, 4, memory, rng)
    optimiser = Adam(model.parameters(), lr=2e-3)
    for _ in range(steps):
        batch, state = recall(32, rng), model.init_state(32)
        for start in range(0, 3 * SEGMENT, SEGMENT):
            ids, values, distance = (x[:, start : start + SEGMENT] for x in batch)
            optimiser.zero_grad()
            logits, state = model.step(ids, state)
            F.cross_entropy(logits, values, mask=distance > 0).backward()
            optimiser.step()
    return model


def accuracy_by_distance(model: Decoder, seed: int = 0) -> np.ndarray:
    """The share of right answers at each distance, 0 to 47, over 1000 sequences."""
    batch = recall(1000, np.random.default_rng([seed, 1]))  # none that it was trained on
    right = by_segments(model, batch.ids).argmax(-1) == batch.values
    count = np.bincount(batch.distance.ravel(), minlength=3 * SEGMENT)
    hits = np.bincount(batch.distance.ravel(), right.ravel(), minlength=3 * SEGMENT)
    return hits / np.maximum(count, 1)


@part(2)
def further(seed: int = 0) -> dict[str, float]:
    """Accuracy at distances from 24 to 40, with a memory of 16 and with none; chance is 1 / 8."""
    far = [accuracy_by_distance(trained(m, seed), seed)[24:41].mean() for m in (16, 0)]
    return {"memory": far[0], "no memory": far[1] - 1 / 8}


# ------------------------------------------------------------------------------------ 3: speed


def fastest(run, times: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def tokens_per_second(seed: int = 0, window: int = 64, texts: int = 8) -> dict[str, float]:
    """Reading 64 tokens of each text that each know the ``window`` tokens up to them or more.

    "windows": a pass over the window for every token. "packed": the same, 16 windows of every
    text in one pass. "memory": segments of 32, and the last ``window`` tokens kept.
    """
    rng = np.random.default_rng(seed)
    model = transformer_xl(50, 64, 4, memory=window, rng=rng)
    ids = rng.integers(50, size=(texts, window + 64))
    with no_grad():
        _, past = model.step(ids[:, :window], model.init_state(texts))

    def windows(together: int) -> None:
        for stop in range(window + 1, ids.shape[1] + 1, together):
            ends = range(stop, stop + together)
            model(np.concatenate([ids[:, end - window : end] for end in ends]))

    def memory() -> None:
        state = past
        for start in range(window, ids.shape[1], 32):
            _, state = model.step(ids[:, start : start + 32], state)

    runs = {"windows": lambda: windows(1), "packed": lambda: windows(16), "memory": memory}
    with no_grad():
        return {name: 64 * texts / fastest(run) for name, run in runs.items()}


@part(3)
def cheaper(seed: int = 0) -> float:
    """The memory's tokens per second over those of the faster way without one."""
    speed = tokens_per_second(seed)
    return speed["memory"] / max(speed["windows"], speed["packed"])
