"""The delta rule by chunks, token by token, and as the product of matrices that defines it."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.autograd import naive_twins
from minitx.autograd.transforms import vjp
from minitx.experiments.linear.deltanet import loop
from tests.autograd.battery import prove
from tests.autograd.recurrent import (
    LENGTHS,
    assert_close,
    assert_four_times_faster,
    assert_the_future_is_unheard,
)

B, H, M, D = 2, 3, 5, 4


def given(T, dtype=np.float64, seed=0, b=B, h=H, m=M, d=D):
    """Keys of length 1 and steps between 0 and 1, both ends among them."""
    rng = np.random.default_rng([seed, T])
    q, k, v = (rng.standard_normal((b, h, T, n)) for n in (m, m, d))
    k /= np.linalg.norm(k, axis=-1, keepdims=True)
    beta = np.clip(rng.uniform(-0.2, 1.2, (b, h, T)), 0, 1)
    return [Tensor(x, dtype=dtype) for x in (q, k, v, beta)]


def by_products(q, k, v, beta):
    """S_t from the matrices I - beta k k^T, formed one by one."""
    q, k, v, beta = (x.numpy() for x in (q, k, v, beta))
    y = np.zeros(v.shape)
    for b, h in np.ndindex(v.shape[:2]):
        state = np.zeros((k.shape[-1], v.shape[-1]))
        for t in range(v.shape[2]):
            key, step = k[b, h, t], beta[b, h, t]
            state = (np.eye(len(key)) - step * np.outer(key, key)) @ state
            state += step * np.outer(key, v[b, h, t])
            y[b, h, t] = state.T @ q[b, h, t]
    return y


def test_every_form_is_the_product_of_matrices_that_defines_it():
    args = given(13)
    expected = by_products(*args)
    chunked = lambda *args: F.delta_rule(*args, chunk=4)  # noqa: E731
    for form in (chunked, F.recurrent_delta_rule):
        np.testing.assert_allclose(form(*args).numpy(), expected, atol=1e-12)
    with naive_twins():
        np.testing.assert_allclose(chunked(*args).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-10)])
@pytest.mark.parametrize(("T", "chunk"), LENGTHS)
def test_three_forms_agree_forwards_and_in_every_gradient(T, chunk, dtype, tolerance):
    args = given(T, dtype)
    y, pull = vjp(lambda *args: F.delta_rule(*args, chunk=chunk), *args)
    cotangent = Tensor(np.random.default_rng(1).standard_normal(y.shape), dtype=dtype)
    found = pull(cotangent)
    for form in (F.recurrent_delta_rule, lambda *args: F.naive_delta_rule(*args, chunk=chunk)):
        other, other_pull = vjp(form, *args)
        assert_close(y, other, tolerance)
        for one, expected in zip(found, other_pull(cotangent), strict=True):
            assert_close(one, expected, tolerance)


def test_derivatives_of_both_orders():
    prove("delta_rule", lambda *a: F.delta_rule(*a, chunk=3), *given(7))


def test_width_one_and_nobody_there():
    prove("delta_rule", lambda *a: F.delta_rule(*a, chunk=2), *given(5, b=1, h=1, m=1, d=1))
    for b, t in ((2, 0), (0, 5)):
        none = given(t, b=b)
        y, pull = vjp(F.delta_rule, *none)
        assert y.shape == (b, H, t, D)
        assert [g.shape for g in pull(y)] == [x.shape for x in none]
        assert F.recurrent_delta_rule(*none).shape == y.shape
        with naive_twins():
            assert F.delta_rule(*none).shape == y.shape


def test_nothing_of_the_future_is_heard_to_the_bit():
    chunked = lambda *args: F.delta_rule(*args, chunk=8)  # noqa: E731
    assert_the_future_is_unheard(chunked, given(29, np.float32), given(29, np.float32, seed=3))


def test_beta_zero_writes_nothing_and_orthonormal_keys_are_a_dictionary():
    q, k, v, beta = given(17)
    assert not F.delta_rule(q, k, v, beta * 0, chunk=4).numpy().any()
    names = np.array([0, 3, 1, 3, 4, 0, 3, 2])  # three writes to one key, two to another
    rows = np.eye(M)[names][None, None]
    values = np.random.default_rng(2).standard_normal((1, 1, len(names), D))
    ones = np.ones((1, 1, len(names)))
    given_ = [Tensor(x, dtype=np.float64) for x in (rows, rows, values, ones)]
    np.testing.assert_allclose(F.delta_rule(*given_, chunk=3).numpy(), values, atol=1e-14)


def test_the_same_key_again_and_again_does_not_cancel_in_float32():
    """(I + A)^-1 by powers of A would add and subtract numbers as large as 2^C here."""
    _, _, v, _ = given(200, np.float32)
    keys = np.zeros((B, H, 200, M), np.float32)
    keys[..., 0] = 1
    one, y = Tensor(np.ones((B, H, 200), np.float32)), None
    y = F.delta_rule(Tensor(keys), Tensor(keys), v, one, chunk=100)
    assert_close(y, v, 1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q, k, v, b: F.delta_rule(q, k, v, b, chunk=0), "1 token or more, got 0"),
        (lambda q, k, v, b: F.delta_rule(q, k[:, :, :2], v, b), r"got \(2, 3, 3, 5\), \(2, 3, 2"),
        (lambda q, k, v, b: F.delta_rule(q, k, v[0], b), r"v \(B, H, T, d_v\)"),
        (lambda q, k, v, b: F.delta_rule(q, k, v, b[0]), r"beta \(B, H, T\), got"),
        (lambda q, k, v, b: F.recurrent_delta_rule(q, k, v, b[..., None]), "got"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*given(3))


def test_chunks_are_four_times_faster_than_a_loop_of_steps():
    args = given(4096, np.float32, b=1, h=1, m=64, d=64)
    one_head = [x.numpy()[0, 0] for x in args]
    assert_four_times_faster(lambda: F.delta_rule(*args), lambda: loop(*one_head))


def test_what_is_kept_grows_with_the_length():
    sizes = {}
    for T in (512, 1024):
        args = [Tensor(x, requires_grad=True) for x in given(T, np.float32)]
        y = F.delta_rule(*args, chunk=16)
        sizes[T] = sum(x.size for x in y.node.residual)
    assert sizes[1024] == 2 * sizes[512]
