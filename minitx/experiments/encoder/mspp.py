"""Paragraphs that are chains of words: a link of a link is found by reading candidates together.

The pivot shares one word with the first candidate of its paragraph, that one shares another with
the second, and the pivot and the second share none. Two more candidates are a chain of their own.
Whoever sees the pivot and one candidate sees the same of the second candidate as of the two wrong
ones: two words that the pivot has not.
"""

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

WORDS, CANDIDATES, LENGTH = 20, 4, 3  # a sentence is its first token (id 0) and two words
D_MODEL, HEADS, LAYERS = 48, 2, 3
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
    norm = lambda: nn.LayerNorm(D_MODEL)  # noqa: E731

    def block() -> Block:
        attention = MultiHeadAttention(D_MODEL, HEADS, rng=rng)
        return Block(attention, MLP(D_MODEL, rng=rng), norm=norm)

    encoder = Encoder(
        nn.Embedding(1 + WORDS, D_MODEL, rng=rng),
        Stack([block() for _ in range(LAYERS)]),
        position=Learned(sentences * LENGTH, D_MODEL, rng=rng),
        segments=nn.Embedding(sentences, D_MODEL, rng=rng),
        norm=norm(),
    )
    head = BesidePivot(D_MODEL, 1, rng=rng)
    return MultiSentence(encoder, head)


def fit(student: MultiSentence, batches, steps: int, lr: float = 2e-3) -> MultiSentence:
    """``steps`` of Adam on (ids, labels) from the iterator."""
    optimiser, schedule = Adam(student.parameters(), lr=lr), warm_up_cosine(100, steps)
    for step in range(steps):
        optimiser.zero_grad()
        student.loss(*next(batches)).backward()
        clip_norm(optimiser.parameters(), 1.0)
        optimiser.step(schedule(step))
    return student.eval()
