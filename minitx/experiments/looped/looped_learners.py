"""A block in a loop learns to fit lines: the same weights again, with the question added each time.

A prompt has 12 examples of a linear function of 4 numbers and some questions about it. The block is
softmax attention and hidden units; it is trained on what it says in the last passes, each of which
should be right.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from minitx import Tensor, nn, no_grad
from minitx import functional as F
from minitx.autograd.transforms import grad
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.residual import PostNorm
from minitx.context import Context
from minitx.data.in_context import LinearRegression, NormalPrior
from minitx.data.representation import questions
from minitx.depth.loop import InjectedLoop, iterate
from minitx.experiments import part
from minitx.nn.module import Module, functional_call
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.training.adam import Adam
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

D, EXAMPLES, ASKED = 4, 12, 8
D_MODEL, HEADS, D_FF = 32, 4, 64
PASSES, WINDOW = 8, 5  # their b and T
STEPS, BATCH = 3000, 64
SOURCE = LinearRegression(NormalPrior(D), EXAMPLES + ASKED - 1)
Rng = np.random.Generator


def block(rng: Rng) -> Block:
    """One layer, post-norm: what it says is bounded, however often it is asked."""
    attention = MultiHeadAttention(D_MODEL, HEADS, rng=rng)
    units = MLP(D_MODEL, D_FF, rng=rng)
    return Block(attention, units, norm=lambda: nn.LayerNorm(D_MODEL), connection=PostNorm())


class Plain(Module):
    """Y_{t+1} = block(Y_t) from Y_0 = P: the loop that is told its question once."""

    def __init__(self, block: Module):
        self.block = block

    def passes(self, x: Tensor, ctx: Context, times: int, window: int | None) -> Iterator[Tensor]:
        return iterate(lambda y: self.block(y, ctx), x, times, window)


class Unshared(Module):
    """As many blocks as passes, each with weights of its own."""

    def __init__(self, blocks: list[Module]):
        self.blocks = blocks

    def passes(self, x: Tensor, ctx: Context, times: int, window: int | None) -> Iterator[Tensor]:
        y = x
        for block in self.blocks[:times]:
            y = block(y, ctx)
            yield y


class Learner(Module):
    """Pairs in, predictions out: two linear maps around something that has ``passes``."""

    def __init__(self, depth: Module, rng: Rng):
        self.read = nn.Linear(D + 1, D_MODEL, rng=rng)
        self.depth = depth
        self.write = nn.Linear(D_MODEL, 1, rng=rng)

    def forward(
        self, tokens: np.ndarray, heard: np.ndarray, times: int, window: int | None = None
    ) -> list[Tensor]:
        """What is said of the questions after each of the last ``window`` passes, (B, ASKED)."""
        x = self.read(Tensor(tokens))
        said = list(self.depth.passes(x, Context.of(x, valid=heard), times, window))
        return [self.write(y[:, -ASKED:])[..., 0] for y in said[-(window or times) :]]


# ------------------------------------------------------------------------------- 1 to 3: trained

KINDS = {
    "looped": (lambda rng: InjectedLoop(block(rng), PASSES), PASSES, WINDOW),
    "once": (lambda rng: InjectedLoop(block(rng), 1), 1, 1),
    "unshared": (lambda rng: Unshared([block(rng) for _ in range(PASSES)]), PASSES, WINDOW),
    "not told again": (lambda rng: Plain(block(rng)), PASSES, WINDOW),
    "last pass only": (lambda rng: InjectedLoop(block(rng), PASSES), PASSES, 1),
}


def loss(said: list[Tensor], answers: np.ndarray) -> Tensor:
    """The squared error, averaged over questions, prompts and passes."""
    return F.mean(F.square(F.stack(said) - answers))


@cache
def trained(kind: str, seed: int) -> Learner:
    """A learner after Adam on fresh prompts."""
    make, times, window = KINDS[kind]
    rng = np.random.default_rng(seed)
    learner = Learner(make(rng), rng)
    optimiser, schedule = Adam(learner.parameters(), lr=2e-3), warm_up_cosine(100, STEPS)
    for step in range(STEPS):
        tokens, heard, answers = questions(SOURCE.sample(BATCH, rng), ASKED)
        optimiser.zero_grad()
        loss(learner(tokens, heard, times, window), answers).backward()
        clip_norm(optimiser.parameters(), 1.0)
        optimiser.step(schedule(step))
    return learner


@cache
def errors(kind: str, seed: int, times: int) -> np.ndarray:
    """Mean squared error after 1 ... times passes, on 2,000 new prompts."""
    learner, prompts = trained(kind, seed), SOURCE.sample(2000, np.random.default_rng([seed, 1]))
    tokens, heard, answers = questions(prompts, ASKED)
    with no_grad():
        said = learner(tokens, heard, times)
    return np.array([np.mean((y.numpy() - answers) ** 2) for y in said])


@part(1)
def shares(seed: int = 0) -> dict[str, float]:
    """One block eight times, beside one block once and eight blocks."""
    once, looped, unshared = (
        errors(kind, seed, KINDS[kind][1])[-1] for kind in ("once", "looped", "unshared")
    )
    return {
        "looped / once": looped / once,
        "gap closed": np.log(once / looped) / np.log(once / unshared),
    }


@part(2)
def settles(seed: int = 0) -> dict[str, float]:
    """How the error changes from b passes to 3 b."""
    kinds = ("looped", "not told again", "last pass only")
    found = {kind: errors(kind, seed, 3 * PASSES) for kind in kinds}
    return {kind: error[-1] / error[PASSES - 1] for kind, error in found.items()}


@part(3)
def decays(seed: int = 0) -> float:
    """R^2 of a straight line through the log error after 1 ... b passes."""
    logs, t = np.log(errors("looped", seed, PASSES)), np.arange(PASSES)
    rest = logs - np.polyval(np.polyfit(t, logs, 1), t)
    return float(1 - rest.var() / logs.var())


# ------------------------------------------------------------------------------- 4: exact


@part(4)
def identities(seed: int = 0) -> dict[str, float]:
    """One pass is a layer; copies of one block are the loop; a window of b loses no gradient."""
    rng = np.random.default_rng(seed)
    one, x = block(rng).to(np.float64), Tensor(rng.standard_normal((3, 7, D_MODEL)), np.float64)
    once = np.abs(InjectedLoop(one, 1)(x).numpy() - one(x).numpy()).max()

    copies = [block(rng).to(np.float64) for _ in range(5)]
    for copy in copies:
        copy.load_state_dict(one.state_dict())
    ctx = Context.of(x)
    *_, stacked = Unshared(copies).passes(x, ctx, 5, None)
    *_, looped = Plain(one).passes(x, ctx, 5, None)

    towards = rng.standard_normal(x.shape)

    def gradient(window: int | None) -> np.ndarray:
        def last(weights: dict) -> Tensor:
            *_, y = functional_call(_Passes(one), weights, x, window)
            return F.sum(y * towards)

        weights = {f"loop.block.{name}": p for name, p in one.named_parameters()}
        return np.concatenate([g.numpy().ravel() for g in grad(last)(weights).values()])

    whole = gradient(None)
    size = np.abs(whole).max()
    return {
        "one pass": once,
        "copies": np.abs(stacked.numpy() - looped.numpy()).max(),
        "window of b": np.abs(gradient(5) - whole).max() / size,
        "window of 2": np.abs(gradient(2) - whole).max() / size,
    }


class _Passes(Module):
    """The passes of a loop, as a function of its weights."""

    def __init__(self, block: Module):
        self.loop = InjectedLoop(block, 5)

    def forward(self, x: Tensor, window: int | None) -> list[Tensor]:
        return list(self.loop.passes(x, window=window))
