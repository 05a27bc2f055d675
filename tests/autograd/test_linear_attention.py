"""Linear attention by chunks, token by token, and as a masked matrix: the same numbers."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.autograd import naive_twins
from minitx.autograd.transforms import vjp
from tests.autograd.battery import prove, real
from tests.autograd.recurrent import (
    LENGTHS,
    assert_close,
    assert_four_times_faster,
    assert_the_future_is_unheard,
)

B, H, M, D = 2, 3, 5, 4
DECAYS = {
    "none": lambda T, rng: [],
    "fixed": lambda T, rng: [np.log(rng.uniform(0.5, 1, (H, 1)))],
    "of each step": lambda T, rng: [np.log(rng.uniform(0.3, 1, (B, H, T)))],
    "of each step, shared by heads": lambda T, rng: [np.log(rng.uniform(0.3, 1, (1, 1, T)))],
    "one for all": lambda T, rng: [np.log(rng.uniform(0.3, 1, (1, 1, 1)))],
}


def given(T, decay="none", dtype=np.float64, seed=0):
    rng = np.random.default_rng([seed, T])
    q, k, v = (rng.standard_normal((B, H, T, n)) for n in (M, M, D))
    return [Tensor(x, dtype=dtype) for x in (q, k, v, *DECAYS[decay](T, rng))]


def by_hand(q, k, v, log_decay=None):
    """The sum that defines it, one number at a time."""
    q, k, v = (x.numpy() for x in (q, k, v))
    a = np.broadcast_to(1.0 if log_decay is None else np.exp(log_decay.numpy()), q.shape[:3])
    y = np.zeros(v.shape)
    for t in range(q.shape[2]):
        for j in range(t + 1):
            kept = a[:, :, j + 1 : t + 1].prod(-1)
            y[:, :, t] += (kept * (q[:, :, t] * k[:, :, j]).sum(-1))[..., None] * v[:, :, j]
    return y


@pytest.mark.parametrize("decay", DECAYS)
def test_every_form_is_the_sum_that_defines_it(decay):
    args = given(13, decay)
    expected = by_hand(*args)
    chunked = lambda *args: F.linear_attention(*args, chunk=4)  # noqa: E731
    for form in (chunked, F.quadratic_linear_attention, F.recurrent_linear_attention):
        np.testing.assert_allclose(form(*args).numpy(), expected, atol=1e-12)
    with naive_twins():
        np.testing.assert_allclose(chunked(*args).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-10)])
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize(("T", "chunk"), LENGTHS)
def test_three_forms_agree_forwards_and_in_every_gradient(T, chunk, decay, dtype, tolerance):
    args = given(T, decay, dtype)
    y, pull = vjp(lambda *args: F.linear_attention(*args, chunk=chunk), *args)
    cotangent = Tensor(np.random.default_rng(1).standard_normal(y.shape), dtype=dtype)
    for form in (F.quadratic_linear_attention, F.recurrent_linear_attention):
        other, other_pull = vjp(form, *args)
        assert_close(y, other, tolerance)
        gradients = other_pull(cotangent)
        # That of one decay for all is a sum of many that cancel: the largest number is the scale.
        scale = max(np.abs(g.numpy()).max() for g in gradients)
        for found, expected in zip(pull(cotangent), gradients, strict=True):
            assert_close(found, expected, tolerance, scale)


@pytest.mark.parametrize("decay", DECAYS)
def test_derivatives_of_both_orders(decay):
    prove("linear_attention", lambda *a: F.linear_attention(*a, chunk=3), *given(7, decay))


def test_width_one_and_nobody_there():
    ones = real(1, 1, 5, 1), real(1, 1, 5, 1, seed=1), real(1, 1, 5, 1, seed=2)
    prove("linear_attention", lambda *a: F.linear_attention(*a, chunk=2), *ones)
    for shape in ((2, 3, 0, 4), (0, 3, 5, 4)):
        none = [real(*shape) for _ in range(3)]
        y, pull = vjp(F.linear_attention, *none)
        assert y.shape == shape and [g.shape for g in pull(y)] == [shape] * 3
        assert F.recurrent_linear_attention(*none).shape == shape
        with naive_twins():
            assert F.linear_attention(*none).shape == shape
        decayed = [*none, real(*shape[:3])]
        assert [g.shape for g in vjp(F.linear_attention, *decayed)[1](y)] == [shape] * 3 + [
            shape[:3]
        ]


def test_a_naive_chunk_of_one_is_the_recurrence_and_of_all_the_matrix():
    args = given(11, "of each step")
    one = F.naive_linear_attention(*args, chunk=1)
    assert_close(one, F.recurrent_linear_attention(*args), 1e-13)
    whole = F.naive_linear_attention(*args, chunk=11)
    assert_close(whole, F.quadratic_linear_attention(*args), 1e-13)


def test_nothing_of_the_future_is_heard_to_the_bit():
    chunked = lambda *args: F.linear_attention(*args, chunk=8)  # noqa: E731
    args, other = (given(29, "of each step", np.float32, seed) for seed in (0, 3))
    assert_the_future_is_unheard(chunked, args, other)


def test_the_first_step_has_nothing_to_forget():
    y, pull = vjp(lambda *a: F.linear_attention(*a, chunk=4), *given(13, "of each step"))
    gradient = pull(F.ones_like(y))[3].numpy()
    assert not gradient[..., 0].any() and gradient[..., 1:].all()


def test_decay_one_is_no_decay_and_strong_decay_keeps_the_last_alone():
    q, k, v = given(13)
    none = F.linear_attention(q, k, v, chunk=4)
    assert_close(F.linear_attention(q, k, v, real(1) * 0, chunk=4), none, 1e-13)
    y, pull = vjp(lambda a: F.linear_attention(q, k, v, a, chunk=4), Tensor([-1e4], dtype=float))
    alone = F.sum(q * k, axis=-1, keepdims=True) * v
    assert_close(y, alone, 1e-13)
    assert np.isfinite(pull(y)[0].numpy()).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q, k, v: F.linear_attention(q, k, v, chunk=0), "1 token or more, got 0"),
        (lambda q, k, v: F.linear_attention(q, k[:, :, :2], v), r"got \(2, 3, 3, 5\), \(2, 3, 2"),
        (lambda q, k, v: F.linear_attention(q, k, v[0]), r"v \(B, H, T, d_v\), got"),
        (lambda q, k, v: F.linear_attention(q, k, v, real(2)),
         r"broadcasts to \(2, 3, 3\), got \(2,\)"),
        (lambda q, k, v: F.recurrent_linear_attention(q, k, v, real(2, 3, 3, 1)), "got"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*given(3))


def step_loop(q, k, v):
    """The recurrence of one head in plain NumPy, as fast as a loop of steps gets."""
    y, state = np.empty_like(v), np.zeros((q.shape[-1], v.shape[-1]), q.dtype)
    for t in range(len(q)):
        state += k[t, :, None] * v[t]
        np.matmul(q[t], state, out=y[t])
    return y


def test_chunks_are_four_times_faster_than_a_loop_of_steps():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((4096, 64), dtype=np.float32) for _ in range(3)]
    tensors = [Tensor(x[None, None]) for x in arrays]
    assert_four_times_faster(lambda: F.linear_attention(*tensors), lambda: step_loop(*arrays))


def test_the_work_grows_with_the_length():
    """The kept memory too: the residual of a backward computation holds no state per token."""
    sizes = {}
    for T in (512, 1024):
        q = Tensor(np.zeros((1, 1, T, 4)), requires_grad=True)
        y = F.linear_attention(q, q, q, chunk=16)
        sizes[T] = sum(x.size for x in y.node.residual)
    assert sizes == {512: 512 * 16, 1024: 1024 * 16}
