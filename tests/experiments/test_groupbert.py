"""The pieces of GroupBERT's experiment: the count of work, equal work, and how far one looks."""

import numpy as np
import scipy.linalg
import scipy.signal

from minitx import Tensor, nn
from minitx import functional as F
from minitx.autograd import naive_twins
from minitx.experiments.encoder.groupbert import (
    LAYERS,
    LENGTH,
    D,
    block_diagonal,
    characters,
    formula,
    model,
    multiplications,
    reach,
)

RNG = np.random.default_rng(0)


def test_block_diagonal_is_scipys():
    blocks = RNG.standard_normal((4, 3, 5))
    np.testing.assert_array_equal(block_diagonal(blocks), scipy.linalg.block_diag(*blocks))


def test_multiplications_of_a_product_and_a_convolution():
    x = Tensor(RNG.standard_normal((2, 7, 6)), requires_grad=True)
    w = Tensor(RNG.standard_normal((6, 5)), requires_grad=True)
    assert multiplications(F.tanh(x @ w) + 1) == 2 * 7 * 6 * 5
    with naive_twins():
        assert multiplications(nn.Linear(6, 5, rng=0)(x)) == 2 * 7 * 6 * 5
        convolution = nn.Conv1d(6, 4, 3, padding="same", groups=2, rng=0)
        assert multiplications(convolution(x)) == 2 * 7 * 4 * 3 * 3


def test_a_grouped_convolution_is_scipys():
    x, layer = RNG.standard_normal((1, 11, 6)), nn.Conv1d(6, 4, 3, padding="same", groups=2, rng=0)
    layer.to(np.float64)
    found = layer(Tensor(x, dtype=np.float64)).numpy()[0]
    for out in range(4):
        inputs = x[0][:, :3] if out < 2 else x[0][:, 3:]
        kernel = layer.weight.numpy()[out].T  # (K, C / groups)
        expected = sum(
            scipy.signal.correlate(inputs[:, c], kernel[:, c], mode="same") for c in range(3)
        )
        np.testing.assert_allclose(found[:, out], expected + layer.bias.numpy()[out], atol=1e-12)


def test_the_two_do_equal_work_and_the_baseline_no_less():
    work = {name: count * formula(name) for name, (_, count) in LAYERS.items()}
    assert 0.98 * work["bert"] < work["group"] <= work["bert"]


def test_hidden_characters_are_hidden():
    batch = characters().batch(characters().train, 29, np.random.default_rng(1))
    assert ((batch.ids == characters().hole) == batch.mask).all()
    assert (batch.ids == batch.targets)[~batch.mask].all()
    assert 0.13 < batch.mask.mean() < 0.17


def test_even_attention_reaches_a_third_of_the_length():
    student = model("bert", np.random.default_rng(0))
    for name, p in student.named_parameters():
        if "qkv" in name:
            p.assign(np.zeros(p.shape))
    assert abs(reach(student) - (LENGTH - 1 / LENGTH) / 3) < 1e-3
    assert student.encoder.tokens.weight.shape[1] == D
