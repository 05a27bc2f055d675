"""Channel mixers: each token by itself, and each formula by hand."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.autograd.check import check_grads
from minitx.channel_mixers import (
    GLU,
    MLP,
    GroupedLinear,
    GroupedMLP,
    PolyNorm,
    PolyReLU,
)
from minitx.nn import LayerNorm, functional_call
from minitx.nn.activations import ACTIVATIONS, activation

B, T, D, FF = 2, 5, 8, 12

MIXERS = {
    **{f"mlp {name}": lambda name=name: MLP(D, FF, name, rng=0) for name in ACTIVATIONS},
    "mlp without bias": lambda: MLP(D, FF, bias=False, rng=0),
    "mlp inner norm": lambda: MLP(D, FF, inner_norm=LayerNorm(FF), rng=0),
    "polyrelu": lambda: MLP(D, FF, PolyReLU(), rng=0),
    "polynorm": lambda: MLP(D, FF, PolyNorm(), rng=0),
    "swiglu": lambda: GLU(D, FF, rng=0),
    "geglu": lambda: GLU(D, FF, "gelu", rng=0),
    "glu": lambda: GLU(D, FF, "sigmoid", bias=True, rng=0),
    "bilinear": lambda: GLU(D, FF, lambda x: x, rng=0),
    "grouped": lambda: GroupedMLP(D, FF, 4, rng=0),
}
every_mixer = pytest.mark.parametrize("name", MIXERS)


def draw(seed, *shape, dtype=None):
    return Tensor(np.random.default_rng(seed).normal(size=shape), dtype=dtype)


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


@every_mixer
def test_each_token_alone(name):
    mixer, x = MIXERS[name](), draw(0, B, T, D)
    y = mixer(x)
    assert y.shape == (B, T, D) and y.dtype == np.float32
    assert gap(y[1:, 3:4], mixer(x[1:, 3:4])) < 1e-6
    changed = x.numpy().copy()
    changed[0, 2] += 1
    other = mixer(Tensor(changed)).numpy()
    assert gap(np.delete(y.numpy()[0], 2, 0), np.delete(other[0], 2, 0)) == 0
    assert gap(y[0, 2], other[0, 2]) > 1e-3


@every_mixer
def test_gradients(name):
    mixer = MIXERS[name]().to(np.float64)
    weights = {n: p.detach() for n, p in mixer.named_parameters()}
    x = draw(1, 2, 3, D, dtype=np.float64)
    check_grads(lambda x, w: functional_call(mixer, w, x), x, weights, order=2, tolerance=1e-5)


@every_mixer
@pytest.mark.parametrize("shape", [(B, 0, D), (0, T, D)])
def test_no_tokens_at_all(name, shape):
    mixer, x = MIXERS[name](), Tensor(np.zeros(shape), requires_grad=True)
    y = mixer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
    assert all(p.grad is None or not p.grad.numpy().any() for p in mixer.parameters())


@every_mixer
def test_huge_inputs_give_numbers(name):
    x = Tensor(draw(0, B, T, D).numpy() * 1e4, requires_grad=True)
    y = MIXERS[name]()(x)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all() and np.isfinite(x.grad.numpy()).all()


def test_glu_by_hand():
    x = draw(0, B, T, D)
    for act in ("silu", "relu", "sigmoid", "gelu"):
        mixer = GLU(D, FF, act, rng=0)
        gate, up, down = (p.weight.numpy().T for p in (mixer.gate, mixer.up, mixer.down))
        gated = activation(act)(Tensor(x.numpy() @ gate)).numpy()
        assert gap(mixer(x), (gated * (x.numpy() @ up)) @ down) < 1e-6
    assert GLU(D, rng=0).up.weight.shape == (21, D)


def test_poly_relu_by_hand():
    poly = PolyReLU()
    assert np.allclose(poly.coefficients.numpy(), [0, 1 / 3, 1 / 3, 1 / 3])
    poly.coefficients.assign([0.5, -1, 2, 3])
    x = draw(0, B, T, D)
    r = np.maximum(x.numpy(), 0)
    assert gap(poly(x), 0.5 - r + 2 * r**2 + 3 * r**3) < 1e-4
    poly.coefficients.assign([0, 1, 0, 0])
    assert gap(poly(x), r) == 0


def test_a_square_is_two_poly_relus_and_a_product_four():
    poly = PolyReLU()
    poly.coefficients.assign([0, 0, 1, 0])
    x, y = draw(0, 50, 1), draw(1, 50, 1)
    square = lambda z: poly(z) + poly(-z)  # noqa: E731
    assert gap(square(x), x.numpy() ** 2) < 1e-5
    assert gap((square(x + y) - square(x - y)) / 4, x.numpy() * y.numpy()) < 1e-5


def test_poly_norm_by_hand_and_blind_to_scale():
    poly, x = PolyNorm(), draw(0, B, T, D)
    expected = 0
    for i in (1, 2, 3):
        power = x.numpy() ** i
        expected = expected + power / np.sqrt((power**2).mean(-1, keepdims=True)) / 3
    assert gap(poly(x), expected) < 1e-5
    for scale in (10, 1e4, 1e-4):
        assert gap(poly(x * scale), poly(x)) < 1e-4
    assert np.sqrt((poly(x).numpy() ** 2).mean(-1)).max() <= 1 + 1e-5
    assert np.isfinite(poly(x * 0).numpy()).all()


def test_grouped_linear_is_block_diagonal():
    layer, x = GroupedLinear(FF, D, 4, rng=0), draw(0, B, T, FF)
    whole = np.zeros((D, FF), np.float32)
    for g in range(4):
        whole[2 * g : 2 * g + 2, 3 * g : 3 * g + 3] = layer.weight.numpy()[g]
    assert gap(layer(x), x.numpy() @ whole.T + layer.bias.numpy()) < 1e-6
    with pytest.raises(ValueError, match="divide 12 and 8, got 5"):
        GroupedLinear(FF, D, 5)
    with pytest.raises(ValueError, match=r"\(..., 12\), got \(2, 5, 8\)"):
        layer(draw(0, B, T, D))


def test_grouped_mlp_has_five_eighths_of_the_matrices():
    grouped, dense = GroupedMLP(D, 4 * D, 4, rng=0), MLP(D, 4 * D, rng=0)
    size = lambda m: sum(p.size for p in m.parameters() if p.ndim > 1)  # noqa: E731
    assert size(grouped) == 0.625 * size(dense)


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match="no activation 'gelo'; there are relu"):
        MLP(D, activation="gelo")
