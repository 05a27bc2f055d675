"""Relevance maps of two streams, from every attention map and its gradient."""

import numpy as np

from minitx import Tensor, nn
from minitx import functional as F
from minitx.block import Block
from minitx.context import Context, Source
from minitx.nn.module import record
from minitx.token_mixers import CrossAttention, MultiHeadAttention


class TwoStreams(nn.Module):
    """Text hears itself and then the image; one number comes out."""

    def __init__(self, rng, d=6):
        norm = lambda: nn.LayerNorm(d)  # noqa: E731
        self.image = Block(MultiHeadAttention(d, 2, rng=rng), norm=norm)
        self.text = Block(
            MultiHeadAttention(d, 2, rng=rng), CrossAttention(d, 2, rng=rng), norm=norm
        )
        self.head = nn.Linear(d, 1, rng=rng)

    def forward(self, text, image):
        ctx = Context.of(text, source=Source(self.image(image)))
        return self.head(self.text(text, ctx)[:, 0]).sum()


MAPS = {
    "image": "image.sublayers.0.weights",
    "text": "text.sublayers.0.weights",
    "cross": "text.sublayers.1.weights",
}


def maps_and_gradients(model, *inputs):
    """{name: (weights, d output / d weights)}: a leaf of zeros is added to each map."""
    zeros = {}

    def watched(name):
        def add(weights):
            zeros[name] = Tensor(np.zeros(weights.shape), dtype=weights.dtype, requires_grad=True)
            return weights + zeros[name]

        return add

    with record(model, replace={full: watched(name) for name, full in MAPS.items()}) as tape:
        model(*inputs).backward()
    return {name: (tape[full].numpy(), zeros[name].grad.numpy()) for name, full in MAPS.items()}


def relevance(found):
    """(text to text, text to image), by the rules of self- and cross-attention in order."""
    bar = {n: np.maximum(g * w, 0).mean(axis=1)[0] for n, (w, g) in found.items()}
    t, i = len(bar["text"]), len(bar["image"])
    tt, ii = np.eye(t) + bar["text"], np.eye(i) + bar["image"]
    rows = (tt - np.eye(t)).sum(axis=1, keepdims=True)
    tt_bar = np.divide(tt - np.eye(t), rows, out=np.zeros((t, t)), where=rows > 0) + np.eye(t)
    rows = (ii - np.eye(i)).sum(axis=1, keepdims=True)
    ii_bar = np.divide(ii - np.eye(i), rows, out=np.zeros((i, i)), where=rows > 0) + np.eye(i)
    return tt, tt_bar.T @ bar["cross"] @ ii_bar


def test_gradients_of_maps_are_those_of_finite_differences():
    rng = np.random.default_rng(0)
    model = TwoStreams(rng).to(np.float64)
    text, image = (Tensor(rng.normal(size=(1, n, 6)), dtype=np.float64) for n in (3, 5))
    found = maps_and_gradients(model, text, image)
    for name, full in MAPS.items():
        weights, gradient = found[name]
        index, h = (0, 1, 0, 2), 1e-6
        bump = np.zeros(weights.shape)
        bump[index] = h
        values = []
        for sign in (1, -1):
            with record(
                model, replace={full: lambda w, s=sign, b=bump: w + Tensor(s * b, dtype=np.float64)}
            ):
                values.append(model(text, image).item())
        assert abs((values[0] - values[1]) / (2 * h) - gradient[index]) < 1e-7
    to_text, to_image = relevance(found)
    assert to_text.shape == (3, 3) and to_image.shape == (3, 5)
    assert to_image[0].max() > 0


def test_recorded_maps_are_the_weights_on_request():
    rng = np.random.default_rng(1)
    attention = MultiHeadAttention(6, 2, rng=rng)
    x = Tensor(rng.normal(size=(1, 4, 6)))
    with record(attention) as tape:
        attention(x)
    assert np.abs(tape["weights"].numpy() - attention.weights(x).numpy()).max() < 1e-7
    assert np.abs(F.sum(tape["weights"], -1).numpy() - 1).max() < 1e-6
