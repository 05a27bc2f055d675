"""What races of language models share: small decoders that read text, character by character.

Everything but the token mixers is the same for all that race: width 64, two layers, the batches of
a seed, the optimiser and its schedule.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from minitx import data, nn, no_grad
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.context import TokenMixer
from minitx.depth.stack import Stack
from minitx.models import Decoder, initialise
from minitx.positions import Hooks, Learned
from minitx.tokens.character import CharTokenizer
from minitx.training.adam import AdamW
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

D, HEADS, LENGTH, BATCH, LAYERS = 64, 4, 128, 16, 2
Rng = np.random.Generator


class Text(NamedTuple):
    """Ids of the text to learn from and of the text held out, and how many characters there are."""

    train: np.ndarray
    held_out: np.ndarray
    vocab_size: int


@cache
def text() -> Text:
    """The help text of Python, its last tenth held out."""
    prose = data.bundled_prose()
    tokenizer = CharTokenizer.from_text(prose)
    train, held_out = (np.array(tokenizer.encode(part)) for part in data.split(prose))
    return Text(train, held_out, len(tokenizer.characters))


def decoder(
    mixers: Sequence[TokenMixer],
    rng: Rng,
    vocab_size: int,
    position: Hooks | None = None,
    channel_mixer: Callable[[Rng], nn.Module] | None = None,
) -> Decoder:
    """A pre-norm decoder with these token mixers, one a layer; learned positions unless told."""
    make = channel_mixer or (lambda rng: MLP(D, rng=rng))
    blocks = [Block(mixer, make(rng), norm=lambda: nn.LayerNorm(D)) for mixer in mixers]
    position = Learned(LENGTH, D, rng=rng) if position is None else position
    tokens = nn.Embedding(vocab_size, D, rng=rng)
    model = Decoder(tokens, Stack(blocks), nn.LayerNorm(D), position=position, rng=rng)
    return initialise(model, D, len(blocks), rng)


class Run(NamedTuple):
    """What training was like: the loss (nats) and the gradient's norm of each step."""

    losses: np.ndarray
    norms: np.ndarray


def train(model: Decoder, steps: int, seed: int = 0, lr: float = 3e-3) -> Run:
    """Train in place on ``steps`` batches of windows; the seed chooses them."""
    optimiser = AdamW(model.parameters(), lr=lr, weight_decay=0.1)
    schedule = warm_up_cosine(max(1, steps // 10), steps)
    batches = data.Windows(text().train, LENGTH).batches(BATCH, np.random.default_rng([seed, 1]))
    losses, norms = [], []
    for step, batch in zip(range(steps), batches, strict=False):
        loss = model.loss(batch.inputs, batch.targets)
        loss.backward()
        norms.append(clip_norm(model.parameters(), 1.0))
        optimiser.step(schedule(step))
        optimiser.zero_grad()
        losses.append(loss.item())
    return Run(np.array(losses), np.array(norms))


def held_out_loss(model: Decoder, windows: int = 128) -> float:
    """Nats for each character of windows spread over the held-out text."""
    ids = text().held_out
    starts = np.linspace(0, len(ids) - LENGTH - 1, windows).astype(int)
    inputs, targets = data.Windows(ids, LENGTH).at(starts)
    with no_grad():
        return model.loss(inputs, targets).item()
