"""The norm that becomes another, and how it disappears."""

import numpy as np
import pytest

from minitx import Tensor, nn

B, T, D, WIDER = 4, 7, 6, 10


def tokens(seed=0):
    values = 3 * np.random.default_rng(seed).standard_normal((B, T, D)) + 1
    return Tensor(values, dtype=np.float64)


def shaken(norm):
    """Other numbers than zeros and ones, and running statistics of some batches."""
    rng = np.random.default_rng(1)
    for parameter in norm.parameters():
        parameter.assign(parameter.numpy() + 0.3 * rng.standard_normal(parameter.shape))
    norm = norm.to(np.float64)
    for seed in range(3):
        norm(tokens(seed))
    return norm


def test_rep_batch_norm_is_a_batch_norm_and_a_share_of_x():
    norm, x = shaken(nn.RepBatchNorm(D)), tokens(5)
    values = x.numpy().reshape(-1, D)
    scaled = (values - values.mean(0)) / np.sqrt(values.var(0) + 1e-5)
    expected = scaled * norm.batch_norm.weight.numpy() + norm.batch_norm.bias.numpy()
    expected += norm.eta.numpy() * values
    np.testing.assert_allclose(norm(x).numpy().reshape(-1, D), expected, atol=1e-10)
    a, b = norm.eval().affine()
    np.testing.assert_allclose(norm(x).numpy(), a * x.numpy() + b, atol=1e-12)


@pytest.mark.parametrize("share", [1.0, 0.3, 0.0])
def test_the_progressive_norm_goes_from_one_norm_to_the_other(share):
    norm, x = shaken(nn.ProgressiveNorm(D)), tokens(5)
    nn.set_share(norm, step=10 - round(10 * share), steps=10)
    expected = share * norm.layer_norm(x).numpy() + (1 - share) * norm.rep(x).numpy()
    np.testing.assert_allclose(norm(x).numpy(), expected, atol=1e-12)
    norm.eval()
    np.testing.assert_array_equal(norm(x).numpy(), norm.rep(x).numpy())


def test_the_share_waits_falls_and_stays_at_zero():
    norm = nn.ProgressiveNorm(D)
    shares = [nn.set_share(norm, step, steps=4, warm_up=2) for step in range(9)]
    assert shares == [1, 1, 1, 0.75, 0.5, 0.25, 0, 0, 0]
    assert norm.share.numpy() == 0 and "share" in norm.state_dict()
    with pytest.raises(ValueError, match="at least 1 step from 1 to 0, got 0"):
        nn.set_share(norm, 0, 0)


@pytest.mark.parametrize("kind", [nn.RepBatchNorm, nn.ProgressiveNorm])
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_takes_the_norm_in(kind, bias):
    norm, x = shaken(kind(D)).eval(), tokens(5)
    linears = [nn.Linear(D, WIDER, bias=bias, rng=seed).to(np.float64) for seed in (0, 1)]
    expected = [linear(norm(x)).numpy() for linear in linears]
    nn.fold(norm, *linears)
    for linear, wanted in zip(linears, expected, strict=True):
        np.testing.assert_allclose(linear(x).numpy(), wanted, atol=1e-11)
        assert linear.bias.dtype == np.float64 and "bias" in linear.state_dict()


def test_another_width_is_named():
    with pytest.raises(ValueError, match=r"a Linear from 6, got one \(10, 5\)"):
        nn.fold(nn.RepBatchNorm(D), nn.Linear(5, WIDER, rng=0))
