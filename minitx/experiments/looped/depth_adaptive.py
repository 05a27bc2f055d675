"""Tokens that differ in how hard they are, and a decoder that gives each the depth it needs.

The source is a row of small programs: a symbol and up to four look-ups (tables that are the same
in all rows, permutations of the symbols). The target is the symbol that each program ends with. A
look-up after another is what depth is for: no exit knows more than its blocks can look up.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from minitx import functional as F
from minitx import nn, no_grad
from minitx.autograd.tensor import Tensor, wrap
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.context import Context, Decoding, Source
from minitx.depth.early_exit import EarlyExit
from minitx.depth.halting import (
    After,
    Confident,
    Poisson,
    exit_distribution,
    first_right,
    likelihood_oracle,
    never,
)
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.models import initialise
from minitx.positions import Sinusoidal
from minitx.token_mixers import Causal, CrossAttention, MultiHeadAttention
from minitx.training.adam import Adam
from minitx.training.schedules import warm_up_cosine

SYMBOLS, TABLES, MOST, LENGTH = 8, 4, 4, 12
D, HEADS, D_FF = 48, 2, 64
Rng = np.random.Generator


class Rows(NamedTuple):
    """symbols (B, T); tables (B, T, 4), TABLES where there is no look-up; answers; how many."""

    symbols: np.ndarray
    tables: np.ndarray
    answers: np.ndarray
    hops: np.ndarray


@cache
def look_ups() -> np.ndarray:
    """The permutations (TABLES + 1, SYMBOLS), the last of which leaves all as it is."""
    rng = np.random.default_rng(5)
    drawn = [rng.permutation(SYMBOLS) for _ in range(TABLES)]
    return np.array([*drawn, np.arange(SYMBOLS)])


def rows(batch: int, rng: Rng) -> Rows:
    """A batch of sources and targets; 1 to 4 look-ups, all equally often."""
    symbols = rng.integers(SYMBOLS, size=(batch, LENGTH))
    hops = rng.integers(1, MOST + 1, size=(batch, LENGTH))
    tables = rng.integers(TABLES, size=(batch, LENGTH, MOST))
    tables[np.arange(MOST) >= hops[..., None]] = TABLES
    answers = symbols
    for i in range(MOST):
        answers = look_ups()[tables[..., i], answers]
    return Rows(symbols, tables, answers, hops)


class Reader(nn.Module):
    """Encoder: a token for each program, the sum of what it is made of, and where it stands."""

    def __init__(self, position: Sinusoidal, rng: Rng):
        self.symbol = nn.Embedding(SYMBOLS, D, rng=rng)
        self.table = nn.Embedding(MOST * (TABLES + 1), D, rng=rng)
        self.position = position

    def forward(self, batch: Rows) -> Source:
        x = self.symbol(wrap(batch.symbols, None))
        x = x + F.sum(self.table(wrap(batch.tables + (TABLES + 1) * np.arange(MOST), None)), axis=2)
        coords = np.arange(x.shape[1])[None, :, None]
        return Source(self.position.input(x * D**0.5, coords), coords)


class Seq2Seq(nn.Module):
    """The Reader, a decoder of four blocks that can be left after each, and one shared readout."""

    def __init__(self, rng: Rng):
        self.position, norm = Sinusoidal(D), lambda: nn.LayerNorm(D)

        def block() -> Block:
            heard = MultiHeadAttention(D, HEADS, mask=Causal(), rng=rng)
            cross = CrossAttention(D, HEADS, rng=rng)
            return Block(heard, cross, MLP(D, D_FF, rng=rng), norm=norm)

        self.reader = Reader(self.position, rng)
        self.tokens = nn.Embedding(SYMBOLS + 1, D, rng=rng)  # the last one is the start
        self.depth = EarlyExit([block() for _ in range(MOST)])
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, SYMBOLS, bias=False, rng=rng)
        initialise(self, D, MOST, rng)

    def readout(self, x: Tensor) -> Tensor:
        """The logits (B, T, V) of a state of any depth."""
        return self.head(self.norm(x))

    def begin(self, batch: Rows) -> tuple[Tensor, Context]:
        """What the first block is given, when the answers before each are known."""
        start = np.full((len(batch.answers), 1), SYMBOLS)
        x = self.tokens(wrap(np.concatenate([start, batch.answers[:, :-1]], axis=1), None))
        ctx = Context.of(x, source=self.reader(batch))
        return self.position.input(x * D**0.5, ctx.coords), ctx

    def exits(self, batch: Rows) -> Tensor:
        """The logits of all exits, of tokens that all went on: (N, B, T, V)."""
        return F.stack([self.readout(x) for x in self.depth.states(*self.begin(batch))])


@cache
def trained(seed: int = 0, blocks: int = MOST, steps: int = 1500) -> Seq2Seq:
    """Four blocks learn anytime, aligned: the mean loss of all exits. Fewer: only their last."""
    rng = np.random.default_rng(seed)
    model = Seq2Seq(rng)
    model.depth.blocks = model.depth.blocks[:blocks]
    optimiser, schedule = Adam(model.parameters(), lr=3e-3), warm_up_cosine(steps // 10, steps)
    for step in range(steps):
        batch = rows(48, rng)
        optimiser.zero_grad()
        logits = model.exits(batch) if blocks == MOST else model.exits(batch)[-1:]
        answers = np.broadcast_to(batch.answers, (len(logits), *batch.answers.shape))
        F.cross_entropy(logits, answers).backward()
        optimiser.step(schedule(step))
    return model


def written(model: Seq2Seq, batch: Rows, halting: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Answers written one after the other, each fed back, and how many blocks each took (B, T)."""
    model.depth.halting, found, taken = halting, [], []
    with no_grad():
        source = model.reader(batch)
        decoding = Decoding(len(batch.answers), source=source)
        ids = np.full((len(batch.answers), 1), SYMBOLS)
        for t in range(batch.answers.shape[1]):
            decoding.begin()
            ctx = Context(np.array([[[t]]]), source=source, decoding=decoding)
            x = model.position.input(model.tokens(wrap(ids, None)) * D**0.5, ctx.coords)
            logits = model.readout(model.depth(x, ctx)).numpy()
            ids = logits.argmax(-1)
            found.append(ids)
            taken.append(ctx.shared["blocks"])
    model.depth.halting = never
    return np.concatenate(found, 1), np.concatenate(taken, 1)


# ------------------------------------------------------------------------- 1: what is the same


def logits(model: Seq2Seq, batch: Rows, halting: Callable) -> np.ndarray:
    """The logits (B, T, V) of the whole target at once, tokens halting as they do."""
    model.depth.halting = halting
    with no_grad():
        found = model.readout(model.depth(*model.begin(batch))).numpy()
    model.depth.halting = never
    return found


def by_a_feature() -> Poisson:
    """Some tokens stop, some go on, whatever the weights are."""
    return Poisson(lambda x: x[..., :1])


@part(1)
def limits(seed: int = 0) -> dict[str, float]:
    """Against a plain Stack, a shorter one, and (copied states) one pass against many."""
    rng = np.random.default_rng(seed)
    model, batch = Seq2Seq(rng), rows(5, rng)
    shorter = []
    with no_grad():
        for n in range(1, MOST + 1):
            x, ctx = model.begin(batch)
            expected = model.readout(Stack(model.depth.blocks[:n])(x, ctx)).numpy()
            shorter.append(np.abs(logits(model, batch, After(n)) - expected).max())
    never_stops = logits(model, batch, Confident(model.readout, 1.001)) - expected
    ids, taken = written(model, batch, by_a_feature())
    again, ctx = model.begin(batch._replace(answers=ids))
    model.depth.halting = by_a_feature()
    with no_grad():
        at_once = model.readout(model.depth(again, ctx)).numpy().argmax(-1)
    differ = (at_once != ids).sum() + (ctx.shared["blocks"] != taken).sum()
    return {
        "threshold above 1": np.abs(never_stops).max(),
        "all leave at n": max(shorter),
        "written against read": differ,
    }


# ------------------------------------------------------------------- 2, 3: what adapting is worth


def confident(model: Seq2Seq, seed: int) -> Confident:
    """The lowest threshold that loses at most half a point on rows of its own."""
    batch = rows(200, np.random.default_rng([seed, 1]))
    full = (written(model, batch, never)[0] == batch.answers).mean()
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99):
        rule = Confident(model.readout, threshold)
        if (written(model, batch, rule)[0] == batch.answers).mean() >= full - 0.005:
            break
    return rule


def poisson(model: Seq2Seq, seed: int, penalty: float = 0.03, steps: int = 300) -> Poisson:
    """Stopping chances learned from the exits of the oracle that knows the likelihoods."""
    rng = np.random.default_rng([seed, 2])
    score = nn.Linear(D, 1, rng=rng)
    optimiser = Adam(score.parameters(), lr=0.03)
    for step in range(steps):
        batch = rows(48, rng)
        with no_grad():
            states = F.stack([model.norm(x) for x in model.depth.states(*model.begin(batch))], 2)
            chances = F.log_softmax(model.head(states)).numpy()  # (B, T, N, V)
        losses = -np.take_along_axis(chances, batch.answers[..., None, None], -1)[..., 0]
        exits = likelihood_oracle(losses, penalty)[..., None] - 1  # (B, T, 1)
        optimiser.zero_grad()
        q = exit_distribution(F.sigmoid(score(states))[..., 0])  # (B, T, N)
        F.mean(-F.log(F.take_along_axis(q, exits, -1) + 1e-6)).backward()
        optimiser.step(1 - step / steps)
    return Poisson(lambda x: score(model.norm(x)))


class Halted(NamedTuple):
    """Of a way to halt: the share of right answers, and how many blocks each token took."""

    accuracy: float
    blocks: np.ndarray


def halted(model: Seq2Seq, halting: Callable, seed: int) -> Halted:
    """Answers to 300 rows that nothing was trained or tuned on."""
    batch = rows(300, np.random.default_rng([seed, 3]))
    ids, taken = written(model, batch, halting)
    return Halted((ids == batch.answers).mean(), taken)


def same_cost(found: Halted) -> int:
    """The static depth that costs at least as much: the average, rounded up."""
    return int(np.ceil(found.blocks.mean()))


@part(2)
def adapting(seed: int = 0) -> dict[str, float]:
    """Points are hundredths; the static depth is an exit of the same decoder."""
    model = trained(seed)
    full = halted(model, never, seed).accuracy
    found = halted(model, confident(model, seed), seed)
    learned = halted(model, poisson(model, seed), seed)
    static = halted(model, After(same_cost(found)), seed).accuracy
    return {
        "points lost, confidence": 100 * (full - found.accuracy),
        "blocks, confidence": found.blocks.mean() / MOST,
        "points over static": 100 * (found.accuracy - static),
        "points lost, Poisson": 100 * (full - learned.accuracy),
        "blocks, Poisson": learned.blocks.mean() / MOST,
    }


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """The correlation of ranks; those that tie share the mean of their ranks."""

    def ranks(values: np.ndarray) -> np.ndarray:
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse]

    return float(np.corrcoef(ranks(x.ravel()), ranks(y.ravel()))[0, 1])


@part(3)
def harder_is_deeper(seed: int = 0) -> float:
    model = trained(seed)
    taken = halted(model, confident(model, seed), seed).blocks
    return spearman(rows(300, np.random.default_rng([seed, 3])).hops, taken)


def least_depth(seed: int = 0) -> float:
    """The share of blocks that an oracle needs which knows the first right exit of each token."""
    model, batch = trained(seed), rows(300, np.random.default_rng([seed, 3]))
    with no_grad():
        right = model.exits(batch).numpy().argmax(-1) == batch.answers
    return first_right(np.moveaxis(right, 0, -1)).mean() / MOST


@part(4)
def trained_for_it(seed: int = 0) -> float:
    """Points over a decoder of the static depth that was trained for that depth alone."""
    model = trained(seed)
    found = halted(model, confident(model, seed), seed)
    return 100 * (found.accuracy - halted(trained(seed, same_cost(found)), never, seed).accuracy)
