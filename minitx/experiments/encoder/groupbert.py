"""Convolutions for what is near, attention for what is far, and groups to pay for it.

A layer of GroupBERT has four sublayers, convolution, grouped MLP, attention, grouped MLP, and does
the work of about one and a half layers of BERT. So two of its layers race three of BERT's, all
pre-norm, at guessing hidden characters. Both are told positions by rotation: with a trained vector
for each place, BERT does not learn in so short a time to look at near characters at all.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from minitx import data, nn, no_grad
from minitx.autograd import naive_twins
from minitx.autograd.graph import reachable
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.grouped import GroupedLinear, GroupedMLP
from minitx.channel_mixers.mlp import MLP
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.models import Encoder, MaskedLM, initialise
from minitx.nn import record
from minitx.positions.rotary import Rotary
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.convolution import ConvolutionModule
from minitx.tokens.character import CharTokenizer
from minitx.training.adam import AdamW
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

D, HEADS, LENGTH = 64, 4, 64
GROUPS, GROUP_SIZE, KERNEL = 4, 16, 7
Generator = np.random.Generator


def attention(rng: Generator) -> MultiHeadAttention:
    """Attention that is told where its tokens are by rotary positions."""
    return MultiHeadAttention(D, HEADS, position=Rotary(D // HEADS), rng=rng)


def bert_layer(rng: Generator) -> Block:
    """Attention and a dense MLP."""
    return Block(attention(rng), MLP(D, rng=rng), norm=lambda: nn.LayerNorm(D))


def group_layer(rng: Generator) -> Block:
    """Convolution and attention, each with a grouped MLP behind it."""
    norm = lambda: nn.LayerNorm(D)  # noqa: E731
    return Block(
        ConvolutionModule(D, norm, KERNEL, GROUP_SIZE, rng=rng),
        GroupedMLP(D, groups=GROUPS, rng=rng),
        attention(rng),
        GroupedMLP(D, groups=GROUPS, rng=rng),
        norm=norm,
    )


LAYERS = {"bert": (bert_layer, 3), "group": (group_layer, 2)}


# ------------------------------------------------------------------- 1: what the groups save


def block_diagonal(blocks: np.ndarray) -> np.ndarray:
    """The matrix (G o, G i) with the blocks (G, o, i) on its diagonal and zeros elsewhere."""
    groups, o, i = blocks.shape
    whole = np.zeros((groups * o, groups * i), blocks.dtype)
    for g, block in enumerate(blocks):
        whole[g * o : (g + 1) * o, g * i : (g + 1) * i] = block
    return whole


def multiplications(y: Tensor) -> int:
    """How many numbers were multiplied in products and convolutions on the way to y.

    Counted in the graph that y stands on, in which fused steps must be naive.
    """
    total = 0
    for node in reachable([y.node]):
        name = node.primitive.name if node.primitive else ""
        if name == "matmul":
            total += node.size * node.inputs[0].shape[-1]
        elif name == "conv":
            total += node.size * math.prod(node.inputs[1].shape[1:])
    return total


def counted(layer: nn.Module, length: int = LENGTH) -> float:
    """Multiplications for each of ``length`` tokens."""
    x = Tensor(np.zeros((1, length, D)), requires_grad=True)
    with naive_twins():
        return multiplications(layer(x)) / length


def formula(layer: str) -> float:
    """The same by hand, for a layer of LAYERS."""
    attention = 4 * D * D + 2 * LENGTH * D  # q, k, v, out; scores and what they mix
    if layer == "bert":
        return attention + 8 * D * D
    convolution = 2 * D * D + KERNEL * GROUP_SIZE * D + D * D
    return convolution + attention + 2 * (4 * D * D + 4 * D * D / GROUPS)


def matrices(module: nn.Module) -> int:
    """How many weights its matrices have."""
    return sum(p.size for p in module.parameters() if p.ndim > 1)


@part(1)
def grouped(seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    layer, x = GroupedLinear(4 * D, D, GROUPS, rng=rng), rng.standard_normal((3, 7, 4 * D))
    layer.to(np.float64)
    dense = x @ block_diagonal(layer.weight.numpy()).T + layer.bias.numpy()
    found = layer(Tensor(x, dtype=np.float64)).numpy()
    work = [abs(counted(make(rng)) - formula(name)) for name, (make, _) in LAYERS.items()]
    return {
        "block-diagonal": np.abs(found - dense).max(),
        "weights": matrices(GroupedMLP(D, groups=GROUPS)) / matrices(MLP(D)),
        "work": sum(work),
    }


# ----------------------------------------------------------------------- 2 and 3: the race


class Hidden(NamedTuple):
    """A text with holes: ids (B, T) with the hidden ones replaced, what they were, where."""

    ids: np.ndarray
    targets: np.ndarray
    mask: np.ndarray


class Characters:
    """Documentation in characters, of which 15 % are hidden from the reader."""

    def __init__(self) -> None:
        text = data.bundled_prose()
        tokens = CharTokenizer.from_text(text)
        self.hole = len(tokens.characters)  # the id of a hidden character
        train, held_out = (np.array(tokens.encode_plain(piece)) for piece in data.split(text))
        self.train, self.held_out = (data.Windows(x, LENGTH) for x in (train, held_out))

    def batch(self, windows: data.Windows, size: int, rng: Generator) -> Hidden:
        """Random windows."""
        targets, _ = windows.at(rng.integers(len(windows.ids) - LENGTH, size=size))
        mask = rng.random(targets.shape) < 0.15
        return Hidden(np.where(mask, self.hole, targets), targets, mask)


characters = cache(Characters)


def model(kind: str, rng: Generator) -> MaskedLM:
    """A masked language model with the layers of this kind."""
    make, count = LAYERS[kind]
    encoder = Encoder(
        nn.Embedding(characters().hole + 1, D, rng=rng),
        Stack([make(rng) for _ in range(count)]),
        norm=nn.LayerNorm(D),
    )
    return MaskedLM(initialise(encoder, D, count, rng), rng=rng)


@cache
def trained(kind: str, seed: int, steps: int = 400) -> MaskedLM:
    """The model after ``steps`` of AdamW on batches of 16 windows; the same windows for each."""
    student = model(kind, np.random.default_rng(seed))
    rng = np.random.default_rng([seed, 1])
    optimiser = AdamW(student.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = warm_up_cosine(50, steps)
    for step in range(steps):
        optimiser.zero_grad()
        student.loss(*characters().batch(characters().train, 16, rng)).backward()
        clip_norm(optimiser.parameters(), 1.0)
        optimiser.step(schedule(step))
    return student.eval()


def held_out_loss(student: MaskedLM, batches: int = 20) -> float:
    """Nats per hidden character of held-out text; the same windows and holes for everybody."""
    rng = np.random.default_rng(99)
    with no_grad():
        losses = [
            student.loss(*characters().batch(characters().held_out, 32, rng)).item()
            for _ in range(batches)
        ]
    return float(np.mean(losses))


def reach(student: MaskedLM) -> float:
    """How many tokens away attention looks, on average over heads, layers and places."""
    batch = characters().batch(characters().held_out, 32, np.random.default_rng(98))
    place = np.arange(LENGTH)
    away = np.abs(place[:, None] - place)
    with no_grad(), record(student) as tape:
        student(batch.ids)
    names = [name for name in tape.names() if name.endswith(".weights")]
    return float(np.mean([(tape[name].numpy() * away).sum(-1).mean() for name in names]))


@part(2)
def race(seed: int = 0) -> float:
    """Two layers of GroupBERT against three of BERT, which do slightly more work."""
    return held_out_loss(trained("bert", seed)) - held_out_loss(trained("group", seed))


@part(3)
def distance(seed: int = 0) -> float:
    return reach(trained("group", seed)) - reach(trained("bert", seed))
