"""Equal tokens: what positions inside the softmax cannot say, and a factor after it can.

With equal tokens all values are equal, and rows of weights that add up to 1 give that value back
whatever they are: no depth, width or training of what is inside the softmax changes it.
"""

from collections.abc import Callable

import numpy as np

from minitx import functional as F
from minitx import nn, no_grad
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.positions import URPE, ALiBi, Hooks, Rotary, T5Bias, TransformerXL
from minitx.token_mixers import Causal, MultiHeadAttention
from minitx.training.adam import Adam

D, H, N = 24, 3, 32
Rng = np.random.Generator
RELATIVE: dict[str, Callable[[Rng], Hooks]] = {
    "T5 bias": lambda rng: T5Bias(H, rng=rng),
    "ALiBi": lambda rng: ALiBi(H),
    "Transformer-XL": lambda rng: TransformerXL(H, D // H, rng=rng),
    "rotary": lambda rng: Rotary(D // H),
}


def stack(layers: int, hooks: Callable[[Rng], list[Hooks]], rng: Rng, mask=None) -> Stack:
    """Blocks of which each has hooks of its own in its attention."""

    def block() -> Block:
        mixer = MultiHeadAttention(D, H, hooks=hooks(rng), mask=mask, rng=rng)
        return Block(mixer, MLP(D, 2 * D, rng=rng), norm=lambda: nn.LayerNorm(D))

    return Stack([block() for _ in range(layers)])


def with_factor(relative: Callable[[Rng], Hooks]) -> Callable[[Rng], list[Hooks]]:
    """The hooks of a relative position and URPE's factor after it."""
    return lambda rng: [relative(rng), URPE(N, H)]


def without(relative: Callable[[Rng], Hooks]) -> Callable[[Rng], list[Hooks]]:
    """The hooks of a relative position alone."""
    return lambda rng: [relative(rng)]


# --------------------------------------------------------------------------- 1: any weights


def shaken(model: Stack, seed: int, but: str = "nothing") -> Stack:
    """``model`` in float64, random numbers added to all parameters but those with that name."""
    rng = np.random.default_rng(seed)
    model.to("float64")
    for name, parameter in model.named_parameters():
        if not name.endswith(but):
            parameter.assign(parameter.numpy() + 0.3 * rng.standard_normal(parameter.shape))
    return model


def equal_tokens(count: int, rng: Rng) -> np.ndarray:
    """Sequences of one random vector N times, another in each: (count, N, D)."""
    return np.repeat(rng.standard_normal((count, 1, D)), N, axis=1)


def random_tokens(count: int, rng: Rng) -> np.ndarray:
    """Sequences of N random vectors: (count, N, D)."""
    return rng.standard_normal((count, N, D))


def apart(model: Stack, seed: int = 0) -> np.ndarray:
    """How far the output of each place is from that of the first, on equal tokens: (N,)."""
    x = equal_tokens(1, np.random.default_rng(seed))
    with no_grad():
        y = model(Tensor(x, dtype=np.float64)).numpy()[0]
    return np.abs(y - y[:1]).max(-1)


def spreads(hooks: Callable, seed: int = 0) -> dict[str, list[float]]:
    """The spread over places in four layers with random weights, both ways and causal."""
    return {
        name: [
            apart(shaken(stack(4, hooks(relative), np.random.default_rng(seed), mask), seed)).max()
            for mask in (None, Causal())
        ]
        for name, relative in RELATIVE.items()
    }


def difference_at_one(seed: int = 0) -> float:
    """Four layers whose factors are all 1, against the same layers without factors."""
    rng, relative = np.random.default_rng(seed), RELATIVE["T5 bias"]
    ones = shaken(stack(4, with_factor(relative), rng), seed, but="factors")
    plain = stack(4, without(relative), rng).to("float64")
    kept = {name: x for name, x in ones.state_dict().items() if not name.endswith("factors")}
    plain.load_state_dict(kept)
    x = Tensor(random_tokens(2, rng), dtype=np.float64)
    with no_grad():
        return np.abs(ones(x).numpy() - plain(x).numpy()).max()


@part(1)
def constant_input(seed: int = 0) -> dict[str, float]:
    """Four relative positions, causal and not; the least spread of those with factors."""
    return {
        "relative bias": max(map(max, spreads(without, seed).values())),
        "multiplier": min(map(min, spreads(with_factor, seed).values())),
        "multiplier 1": difference_at_one(seed),
    }


# ------------------------------------------------------------------------------ 2: trained

TASKS = {"position": np.arange(N), "parity": np.arange(N) % 2}


def accuracy(
    hooks: Callable[[Rng], list[Hooks]], labels: np.ndarray, seed: int = 0,
    tokens: Callable[[int, Rng], np.ndarray] = equal_tokens, steps: int = 600,
) -> float:  # fmt: skip
    """The share of places that two trained layers label rightly in 64 new sequences.

    Where all outputs of a sequence are equal, rounding alone chooses between the labels.
    """
    rng = np.random.default_rng(seed)
    body, head = stack(2, hooks, rng), nn.Linear(D, len(set(labels)), rng=rng)
    optimiser = Adam([*body.parameters(), *head.parameters()], lr=3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        logits = head(body(Tensor(tokens(16, rng))))
        F.cross_entropy(logits, np.broadcast_to(labels, (16, N))).backward()
        optimiser.step()
    with no_grad():
        chosen = head(body(Tensor(tokens(64, rng)))).numpy().argmax(-1)
    return np.mean(chosen == labels)


@part(2)
def learnt(seed: int = 0) -> dict[str, float]:
    """T5's biases without and with the factor, on 32 equal tokens."""
    kinds = {"bias": without(RELATIVE["T5 bias"]), "multiplier": with_factor(RELATIVE["T5 bias"])}
    return {
        f"{kind}, {task}": accuracy(hooks, labels, seed)
        for kind, hooks in kinds.items()
        for task, labels in TASKS.items()
    }
