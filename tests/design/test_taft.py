"""A model linear in its weights: the tangent of any model, by one forward pass of pairs."""

import numpy as np

from minitx import Tensor, jvp, nn, vjp
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.nn.module import functional_call
from minitx.token_mixers import MultiHeadAttention


class Tangent:
    """f(x; w0) + J f(x; w0) dw, for any Module."""

    def __init__(self, model):
        self.model = model
        self.weights = {name: p.detach() for name, p in model.named_parameters()}

    def __call__(self, x, change):
        value, slope = self.slope(x, change)
        return value + slope

    def slope(self, x, change):
        run = lambda weights: functional_call(self.model, weights, x)  # noqa: E731
        return jvp(run, (self.weights,), (change,))


def setup(dtype=np.float64):
    rng = np.random.default_rng(0)
    block = Block(
        MultiHeadAttention(6, 2, rng=rng), MLP(6, 11, rng=rng), norm=lambda: nn.LayerNorm(6)
    ).to(dtype)
    x = Tensor(rng.normal(size=(2, 5, 6)), dtype=dtype)
    tangent = Tangent(block)
    draw = lambda: {  # noqa: E731
        name: Tensor(rng.normal(size=w.shape), dtype=dtype) for name, w in tangent.weights.items()
    }
    return rng, tangent, x, draw


def test_the_slope_is_the_derivative_along_a_change_of_weights():
    _, tangent, x, draw = setup()
    change, h = draw(), 1e-6
    _, slope = tangent.slope(x, change)
    ahead, behind = (
        functional_call(
            tangent.model, {n: w + s * change[n] for n, w in tangent.weights.items()}, x
        ).numpy()
        for s in (h, -h)
    )
    assert np.abs(slope.numpy() - (ahead - behind) / (2 * h)).max() < 1e-6


def test_forward_and_reverse_agree():
    rng, tangent, x, draw = setup()
    change = draw()
    _, slope = tangent.slope(x, change)
    u = Tensor(rng.normal(size=slope.shape), dtype=np.float64)
    _, pull = vjp(lambda w: functional_call(tangent.model, w, x), tangent.weights)
    back = pull(u)[0]
    left = (u * slope).sum().item()
    right = sum((back[n] * change[n]).sum().item() for n in change)
    assert abs(left - right) < 1e-9 * max(1, abs(left))


def test_averaging_changes_averages_outputs():
    _, tangent, x, draw = setup()
    one, two = draw(), draw()
    mean = {name: (one[name] + two[name]) / 2 for name in one}
    expected = (tangent(x, one) + tangent(x, two)) / 2
    assert np.abs(tangent(x, mean).numpy() - expected.numpy()).max() < 1e-10
