"""Paragraphs that are chains of words: a link of a link is found by reading candidates together.

The pivot shares one word with the first candidate of its paragraph, that one shares another with
the second, and the pivot and the second share none. Two more candidates are a chain of their own.
Whoever sees the pivot and one candidate sees the same of the second candidate as of the two wrong
ones: two words that the pivot has not.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from minitx import nn, no_grad
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.models import Encoder
from minitx.models.multi_sentence import BesidePivot, MultiSentence
from minitx.positions.absolute import Learned
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.training.adam import Adam
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

WORDS, CANDIDATES, LENGTH = 12, 4, 3  # a sentence is its first token (id 0) and two words
D_MODEL, HEADS, LAYERS = 48, 4, 3
JOINT_STEPS, PAIR_STEPS = 3000, 500
Generator = np.random.Generator

# The words of the pivot and of the four candidates, among the seven words of a text.
CHAIN = np.array([[0, 1], [1, 2], [2, 3], [4, 5], [5, 6]])
ONE_LINK, TWO_LINKS, WRONG = 0, 1, 2  # which candidates they are: WRONG and those after it


def texts(count: int, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """ids (B, 1 + CANDIDATES, LENGTH), and which candidate stands at each place (B, CANDIDATES)."""
    words = rng.permuted(np.tile(1 + np.arange(WORDS), (count, 1)), axis=1)
    sentences = rng.permuted(words[:, CHAIN], axis=-1)  # (B, 5, 2), words in any order
    which = rng.permuted(np.tile(np.arange(CANDIDATES), (count, 1)), axis=1)
    rows = np.arange(count)[:, None]
    order = np.concatenate([np.zeros((count, 1), int), 1 + which], axis=1)
    return np.pad(sentences[rows, order], [(0, 0), (0, 0), (1, 0)]), which


def as_pairs(ids: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same as texts of the pivot and one candidate: (B CANDIDATES, 2, LENGTH)."""
    pivot = np.broadcast_to(ids[:, :1], ids[:, 1:].shape)
    return np.stack([pivot, ids[:, 1:]], axis=2).reshape(-1, 2, LENGTH), which.reshape(-1, 1)


def model(candidates: int, rng: Generator) -> MultiSentence:
    """A pre-norm encoder for a pivot and some candidates, with a head for each of them."""
    sentences = 1 + candidates
    encoder = Encoder(
        nn.Embedding(1 + WORDS, D_MODEL, rng=rng),
        Stack([block(rng) for _ in range(LAYERS)]),
        position=Learned(sentences * LENGTH, D_MODEL, rng=rng),
        segments=nn.Embedding(sentences, D_MODEL, rng=rng),
        norm=nn.LayerNorm(D_MODEL),
    )
    return MultiSentence(encoder, BesidePivot(D_MODEL, 1, rng=rng))


def block(rng: Generator) -> Block:
    """A layer whose queries are its keys before training, and larger than usual.

    So equal words find each other from the start; from random weights the search for that takes
    most of the training, as it takes most of the pre-training of a large model.
    """
    attention = MultiHeadAttention(D_MODEL, HEADS, rng=rng)
    weight = attention.qkv.weight.numpy()  # (3 D, D): queries, keys, values
    queries = 2 * weight[:D_MODEL]
    attention.qkv.weight.assign(np.concatenate([queries, queries, weight[2 * D_MODEL :]]))
    return Block(attention, MLP(D_MODEL, rng=rng), norm=lambda: nn.LayerNorm(D_MODEL))


Batches = Iterator[tuple[np.ndarray, np.ndarray]]


def fit(student: MultiSentence, batches: Batches, steps: int) -> MultiSentence:
    """``steps`` of Adam on (ids, labels)."""
    optimiser, schedule = Adam(student.parameters(), lr=1e-3), warm_up_cosine(50, steps)
    for step in range(steps):
        optimiser.zero_grad()
        student.loss(*next(batches)).backward()
        clip_norm(optimiser.parameters(), 1.0)
        optimiser.step(schedule(step))
    return student.eval()


# ------------------------------------------------------------------- 1: together and in pairs


def paragraphs(together: bool, rng: Generator, batch_size: int = 64) -> Batches:
    """Texts, or pairs out of them, and whether candidates are of the pivot's paragraph."""
    while True:
        ids, which = texts(batch_size, rng)
        ids, which = (ids, which) if together else as_pairs(ids, which)
        yield ids, which < WRONG


@cache
def trained(together: bool, seed: int) -> MultiSentence:
    """A model that has learnt from whole texts, or from pairs."""
    rng = np.random.default_rng(seed)
    student = model(CANDIDATES if together else 1, rng)
    return fit(student, paragraphs(together, rng), JOINT_STEPS if together else PAIR_STEPS)


def accuracy(student: MultiSentence, ids: np.ndarray, which: np.ndarray, right: int) -> float:
    """Of candidates that are ``right`` or wrong, half of each kind: how many are told right."""
    with no_grad():
        said = student(ids).numpy()[..., 0] > 0
    return (said[which == right].mean() + 1 - said[which >= WRONG].mean()) / 2


@part(1)
def links(seed: int = 0) -> dict[str, float]:
    """On 1000 new texts."""
    ids, which = texts(1000, np.random.default_rng([seed, 1]))
    found = {}
    for name, data in {"joint": (ids, which), "pair": as_pairs(ids, which)}.items():
        student = trained(name == "joint", seed)
        found[f"{name}, two links"] = accuracy(student, *data, TWO_LINKS)
        found[f"{name}, one link"] = accuracy(student, *data, ONE_LINK)
    return found


# --------------------------------------------------------------------------- 2: a new relation


def again(ids: np.ndarray, labels: np.ndarray, rng: Generator) -> Batches:
    """Batches of 32 from a few examples."""
    while True:
        rows = rng.integers(len(ids), size=32)
        yield ids[rows], labels[rows]


@part(2)
def transfer(seed: int = 0) -> float:
    """The new relation: is the candidate the next sentence, one link away and not two?"""
    ids, which = texts(200, np.random.default_rng([seed, 2]))
    new_ids, new_which = texts(1000, np.random.default_rng([seed, 3]))
    found = []
    for before in (trained(True, seed), model(CANDIDATES, np.random.default_rng(seed))):
        rng = np.random.default_rng([seed, 4])
        student = model(CANDIDATES, rng)
        student.load_state_dict(before.state_dict())
        fit(student, again(ids, which == ONE_LINK, rng), 150)
        with no_grad():
            said = student(new_ids).numpy()[..., 0] > 0
        true = new_which == ONE_LINK
        found.append((said[true].mean() + 1 - said[~true].mean()) / 2)
    return found[0] - found[1]
