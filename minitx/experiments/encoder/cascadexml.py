"""256 labels, of which 80 are looked at: a tree of labels, read by one encoder at three depths.

A text is about one to three labels. Each label has words of its own and words that it shares with
its kind, and a few labels are said often, most of them rarely (Zipf). The tree is made from the
words that come with each label, without knowledge of the kinds.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from minitx import functional as F
from minitx import nn, no_grad
from minitx.autograd.tensor import Tensor
from minitx.experiments import part
from minitx.models import Encoder, mean_pool
from minitx.models.label_metrics import (
    precision_at,
    propensity,
    propensity_scored_precision_at,
)
from minitx.models.label_tree import CascadeXML, LabelTree
from minitx.training.adam import Adam
from minitx.training.schedules import warm_up_cosine

LABELS, KINDS, WORDS, LENGTH, MOST = 256, 16, 800, 20, 3
BRANCHING, KEPT = (16, 4, 4), 8  # levels of 16, 64 and 256 nodes
D_MODEL, LAYERS = 48, 3
Generator = np.random.Generator


# ------------------------------------------------------------------ 1: how many are scored


@part(1)
def scored(seed: int = 0) -> float:
    """512 labels in three levels of eight; the most that any of seven texts had scored."""
    rng = np.random.default_rng(seed)
    tree = LabelTree(6, (8, 8, 8), rng)
    assert tree.sizes[-1] == 512
    features = [Tensor(rng.standard_normal((7, 6))) for _ in tree.sizes]
    levels = [short.labels for short in tree(features, k=5)]
    return max(sum(len(set(row)) for row in rows) for rows in zip(*levels, strict=True))


# ------------------------------------------------------------ 2: simulated text and its race


class Texts(NamedTuple):
    """ids (N, T) with the start (0) first; truth (N, L), which labels a text is about."""

    ids: np.ndarray
    truth: np.ndarray


class World:
    """Which words a label uses, and how often it is said."""

    def __init__(self, rng: Generator):
        kinds = rng.permutation(np.arange(LABELS) % KINDS)
        shared = rng.integers(1, WORDS, size=(KINDS, 6))
        own = rng.integers(1, WORDS, size=(LABELS, 6))
        self.words = np.concatenate([own, shared[kinds]], axis=1)  # (L, 12)
        self.chances = rng.permutation(1 / (1 + np.arange(LABELS)) ** 0.7)  # Zipf
        self.chances /= self.chances.sum()

    def texts(self, count: int, rng: Generator) -> Texts:
        """Texts of one to MOST labels, a word of any of them at each place."""
        keys = np.log(self.chances) + rng.gumbel(size=(count, LABELS))
        labels = np.argsort(-keys, axis=1)[:, :MOST]  # without replacement, by their chances
        number = rng.integers(1, MOST + 1, size=(count, 1))
        places = (rng.random((count, LENGTH)) * number).astype(int)
        speaking = np.take_along_axis(labels, places, axis=1)  # (N, T)
        words = self.words[speaking, rng.integers(self.words.shape[1], size=speaking.shape)]
        truth = np.zeros((count, LABELS), bool)
        np.put_along_axis(truth, np.take_along_axis(labels, places, axis=1), True, axis=1)
        return Texts(np.pad(words, [(0, 0), (1, 0)]), truth)


def balanced_order(features: np.ndarray, steps: int = 10) -> np.ndarray:
    """The labels in an order whose halves, quarters, ... are clusters: features (2^n, f).

    Two means, and the half that lies more to the side of the first goes first; then each half.
    """
    if len(features) == 1:
        return np.zeros(1, int)
    spread = features - features.mean(0)
    axis = spread[np.square(spread).sum(1).argmax()]
    for _ in range(steps):
        order = np.argsort(-(features @ axis), kind="stable")
        first, second = np.split(order, 2)
        axis = features[first].mean(0) - features[second].mean(0)
    return np.concatenate([half[balanced_order(features[half])] for half in (first, second)])


def label_features(texts: Texts) -> np.ndarray:
    """For each label the words of its texts, as a vector of length 1 (L, WORDS)."""
    bags = np.zeros((len(texts.ids), WORDS))
    np.add.at(bags, (np.arange(len(bags))[:, None], texts.ids[:, 1:]), 1)
    bags *= np.log(len(bags) / (1 + (bags > 0).sum(0)))  # rare words say more
    found = texts.truth.T.astype(float) @ bags
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


class OneVsAll(nn.Module):
    """All labels are scored from the last layer: ids (B, T) -> logits (B, L)."""

    def __init__(self, encoder: Encoder, rng: Generator):
        self.encoder, self.head = encoder, nn.Linear(D_MODEL, LABELS, rng=rng)
        self.head.bias.assign(np.full(LABELS, -4.0))  # that few are true need not be learnt

    def forward(self, ids: np.ndarray) -> Tensor:
        return self.head(mean_pool(self.encoder(ids)))

    def loss(self, ids: np.ndarray, truth: np.ndarray) -> Tensor:
        """The cross-entropy of "is it true?", summed over labels, averaged over rows."""
        logits = self(ids)
        return F.sum(F.softplus(F.where(truth, -logits, logits))) / len(ids)


class Cascade(CascadeXML):
    """The cascade of this experiment: level t reads layer t + 1."""

    def __init__(self, encoder: Encoder, rng: Generator):
        super().__init__(encoder, BRANCHING, range(1, LAYERS + 1), mean_pool, rng)
        for bias in self.tree.biases:
            bias.assign(np.full(bias.shape, -2.0))  # of a shortlist, more are true than of all

    def loss(self, ids: np.ndarray, truth: np.ndarray) -> Tensor:
        return super().loss(ids, truth, KEPT)


def encoder(rng: Generator) -> Encoder:
    return Encoder.bert(WORDS, D_MODEL, 4, LAYERS, LENGTH + 1, num_segments=0, rng=rng)


def train(model: nn.Module, texts: Texts, rng: Generator, steps: int = 1000) -> nn.Module:
    """``steps`` of Adam on batches of 32 texts."""
    optimiser, schedule = Adam(model.parameters(), lr=5e-3), warm_up_cosine(50, steps)
    for step in range(steps):
        rows = rng.integers(len(texts.ids), size=32)
        optimiser.zero_grad()
        model.loss(texts.ids[rows], texts.truth[rows]).backward()
        optimiser.step(schedule(step))
    return model.eval()


def cascade_scores(model: CascadeXML, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log scores (B, L), -inf where a label was not scored; and which were (B, L)."""
    with no_grad():
        leaves = model(ids, KEPT)[-1]
    scores = np.full((len(ids), LABELS), -np.inf)
    np.put_along_axis(scores, leaves.labels, leaves.log_scores.numpy(), axis=1)
    return scores, np.isfinite(scores)


class Race(NamedTuple):
    """Scores (N, L) of both on the same new texts, what was true, what the cascade looked at."""

    cascade: np.ndarray
    one_vs_all: np.ndarray
    truth: np.ndarray
    looked_at: np.ndarray


@cache
def race(seed: int, steps: int = 1000) -> Race:
    """Both trained on the same texts in the same order, and asked of 1000 others."""
    rng = np.random.default_rng(seed)
    world = World(rng)
    known, new = world.texts(8000, rng), world.texts(1000, rng)
    order = balanced_order(label_features(known))
    known, new = (Texts(texts.ids, texts.truth[:, order]) for texts in (known, new))
    models = []
    for make in (Cascade, OneVsAll):
        own = np.random.default_rng([seed, 1])
        models.append(train(make(encoder(own), own), known, own, steps))
    scores, looked_at = cascade_scores(models[0], new.ids)
    with no_grad():
        return Race(scores, models[1](new.ids).numpy(), new.truth, looked_at)


@part(2)
def lost(seed: int = 0) -> dict[str, float]:
    """On new texts nothing is known of the truth: the cascade follows its own best branches."""
    result = race(seed)
    loss = {
        f"loss at {k}": precision_at(result.one_vs_all, result.truth, k)
        - precision_at(result.cascade, result.truth, k)
        for k in (1, 5)
    }
    return loss | {"true path": result.looked_at[result.truth].mean()}


# ---------------------------------------------------------------------------- 3: identities


def by_hand() -> float:
    """How far PSP@2 is from what a pencil finds, for five labels and two texts of 20."""
    counts = [16, 8, 4, 2, 1]
    c = (math.log(20) - 1) * 2.5**0.55
    inverse = [1 + c * (n + 1.5) ** -0.55 for n in counts]  # 1 / p
    truth = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 0, 0]], bool)
    scores = np.array([[0.9, 0.1, 0.8, 0.2, 0.3], [0.5, 0.4, 0.1, 0.2, 0.3]])
    earned = inverse[0] + inverse[2] + inverse[1]  # labels 0 and 2; label 1 and a wrong one
    most = inverse[4] + inverse[2] + inverse[1]
    found = propensity_scored_precision_at(scores, truth, propensity(counts, 20), 2)
    return abs(found - earned / most)


@part(3)
def identities(seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    texts = World(rng).texts(4000, rng)
    counts = texts.truth.sum(0)
    p = propensity(counts, len(texts.truth))
    popular = np.broadcast_to(counts, texts.truth.shape)
    order = np.argsort(counts)
    tree = LabelTree(7, (3, 4, 5), rng).to(np.float64)
    features = [Tensor(rng.standard_normal((6, 7)), dtype=np.float64) for _ in range(3)]
    leaves = tree(features, k=tree.sizes[-1])[-1]
    whole = np.zeros((6, 60))
    np.put_along_axis(whole, leaves.labels, leaves.log_scores.numpy(), axis=1)
    return {
        "closed form": by_hand(),
        "popular labels": precision_at(popular, texts.truth, 1)
        - propensity_scored_precision_at(popular, texts.truth, p, 1),
        "order": float((np.diff(p[order]) < 0).sum()),
        "every branch": np.abs(whole - tree.log_scores(features).numpy()).max(),
    }
