"""Fused primitives against their naive twins: values, derivatives of both orders, every shape."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor, naive_twins
from minitx.autograd.check import check_grads
from minitx.autograd.transforms import grad, vjp
from minitx.autograd.tree import flatten
from tests.autograd.battery import prove, real

pytestmark = pytest.mark.usefixtures("broadcasting")  # a bias is a vector beside rows


def ids(high, *shape):
    return np.random.default_rng(5).integers(high, size=shape)


def mask(*shape):
    return np.random.default_rng(6).random(shape) < 0.6


def heads(b=2, h=3, t=5, s=7, d=4, width=2):
    return real(b, h, t, d), real(b, h, s, d, seed=1), real(b, h, s, width, seed=2)


def attend(**options):
    return lambda q, k, v, *bias: F.attention(q, k, v, bias=bias[0] if bias else None, **options)


# name of the primitive: [(function, arguments)]
CASES = {
    "linear": [
        (F.linear, (real(2, 3, 5), real(4, 5), real(4))),
        (F.linear, (real(3, 5), real(4, 5))),
        (F.linear, (real(5), real(4, 5), real(4))),
        (F.linear, (real(0, 5), real(4, 5), real(4))),
        (F.linear, (real(2, 1), real(1, 1), real(1))),
    ],
    "softmax": [
        (F.softmax, (real(2, 3, 5),)),
        (lambda x: F.softmax(x, 1), (real(2, 3, 5),)),
        (lambda x: F.softmax(x, 0), (real(1, 3),)),
        (F.softmax, (real(0, 3),)),
        (F.softmax, (real(3, 0),)),
    ],
    "log_softmax": [
        (F.log_softmax, (real(2, 3, 5),)),
        (lambda x: F.log_softmax(x, 0), (real(4, 3),)),
        (F.log_softmax, (real(3, 1),)),
        (F.log_softmax, (real(3, 0),)),
    ],
    "layer_norm": [
        (F.layer_norm, (real(2, 3, 5), real(5, seed=1), real(5, seed=2))),
        (F.layer_norm, (real(5), real(5, seed=1), real(5, seed=2))),
        (F.layer_norm, (real(0, 5), real(5, seed=1), real(5, seed=2))),
        (F.layer_norm, (real(2, 0), real(0), real(0))),
    ],
    "rms_norm": [
        (F.rms_norm, (real(2, 3, 5), real(5, seed=1))),
        (F.rms_norm, (real(5), real(5, seed=1))),
        (F.rms_norm, (real(0, 5), real(5, seed=1))),
        (F.rms_norm, (real(2, 0), real(0))),
    ],
    "gelu_tanh": [(F.gelu, (real(2, 3),)), (F.gelu, (real(0, 3),)), (F.gelu, (real(),))],
    "gelu_erf": [(lambda x: F.gelu(x, "none"), (real(2, 3),))],
    "silu": [(F.silu, (real(2, 3),)), (F.silu, (real(),))],
    "swiglu": [(F.swiglu, (real(2, 3), real(2, 3, seed=1))), (F.swiglu, (real(0, 3), real(0, 3)))],
    "attention": [
        (attend(), heads()),
        (attend(causal=True), heads()),
        (attend(causal=True), heads(t=7, s=5)),  # the first two queries may see nothing
        (attend(mask=mask(2, 3, 5, 7)), heads()),
        (attend(mask=mask(5, 7), causal=True), heads()),
        (attend(mask=mask(2, 1, 1, 7)), heads()),
        (attend(mask=mask(2, 1, 5, 1)), heads()),
        (attend(mask=np.zeros((5, 7), bool)), heads()),
        (attend(scale=0.3), (*heads(), real(2, 3, 5, 7, seed=3))),
        (attend(causal=True), (*heads(), real(3, 1, 7, seed=3))),
        (attend(mask=mask(5, 7)), (*heads(), real(1, 3, 5, 1, seed=3))),
        (attend(causal=True), heads(b=1, h=1, t=70, s=70, d=2, width=3)),  # off the block size
        (attend(), (real(2, 6, 5, 4), real(2, 3, 7, 4), real(2, 3, 7, 2))),  # grouped queries
        (attend(), heads(t=1, s=1, d=1, width=1)),
        (attend(), heads(t=1)),  # turning it takes no copy
        (attend(), heads(t=0)),
        (attend(), heads(s=0)),
        (attend(causal=True), heads(s=0)),
        (attend(), heads(b=0)),
    ],
    "cross_entropy": [
        (lambda x: F.cross_entropy(x, ids(5, 2, 3)), (real(2, 3, 5),)),
        (lambda x: F.cross_entropy(x, ids(5, 3), label_smoothing=0.2), (real(3, 5),)),
        (lambda x: F.cross_entropy(x, ids(5, 7), mask=mask(7), reduction="none"), (real(7, 5),)),
        (lambda x: F.cross_entropy(x, ids(5, 7), mask=mask(7)), (real(7, 5),)),
        (lambda x: F.cross_entropy(x, ids(5), reduction="sum"), (real(5),)),
    ],
}
ALL = [(name, i) for name, cases in CASES.items() for i in range(len(cases))]


@pytest.mark.parametrize(("name", "number"), ALL)
def test_derivatives_of_both_orders(name, number):
    function, args = CASES[name][number]
    prove(name, function, *args)


@pytest.mark.parametrize(("name", "number"), ALL)
def test_the_fused_form_equals_its_naive_twin(name, number):
    function, args = CASES[name][number]
    value, pull = vjp(function, *args)
    cotangent = real(*value.shape, seed=9)
    with naive_twins():
        naive_value, naive_pull = vjp(function, *args)
    np.testing.assert_allclose(value.numpy(), naive_value.numpy(), rtol=1e-12, atol=1e-14)
    for got, expected in zip(pull(cotangent), naive_pull(cotangent), strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "layer_norm", "rms_norm", "swiglu", "attention"])
def test_one_tensor_in_several_places(name):
    calls = {
        "linear": lambda x: F.linear(x, x, x[0]),
        "layer_norm": lambda x: F.layer_norm(x, x[0], x[0]),
        "rms_norm": lambda x: F.rms_norm(x, x[1]),
        "swiglu": lambda x: F.swiglu(x, x),
        "attention": lambda x: F.attention(
            x[None, None], x[None, None], x[None, None], causal=True
        ),
    }
    check_grads(calls[name], real(3, 3))


@pytest.mark.parametrize("name", ["linear", "layer_norm", "attention", "cross_entropy", "gelu_erf"])
def test_only_some_arguments_need_a_gradient(name):
    function, args = CASES[name][0]
    for i, arg in enumerate(args):
        others = [Tensor(x.numpy(), dtype=np.float64) for x in args]
        check_grads(lambda x, i=i, o=others: function(*o[:i], x, *o[i + 1 :]), arg)


@pytest.mark.parametrize(("name", "number"), ALL)
def test_backward_gives_what_vjp_gives(name, number):
    """An ordinary computation keeps less than one that may be differentiated twice."""
    function, args = CASES[name][number]
    value, pull = vjp(function, *args)
    cotangent = real(*value.shape, seed=9)
    expected = pull(cotangent)
    for tracked in (range(len(args)), *([i] for i in range(len(args)))):
        given = [Tensor(x, requires_grad=i in tracked) for i, x in enumerate(args)]
        function(*given).backward(cotangent)
        for i, x in enumerate(given):
            if i in tracked:
                np.testing.assert_array_equal(x.grad.numpy(), expected[i].numpy())
            else:
                assert x.grad is None


def test_rows_longer_than_a_piece_of_the_cache():
    rng = np.random.default_rng(0)
    x = Tensor(rng.standard_normal((70_001, 3)))
    for function in (F.gelu, F.silu, lambda x: F.layer_norm(x, F.ones((3,)), F.zeros((3,))),
                     lambda x: F.rms_norm(x, F.ones((3,))),
                     lambda x: F.cross_entropy(x, ids(3, 70_001), reduction="none")):  # fmt: skip
        value = function(x).numpy()
        slope = grad(lambda x, f=function: F.sum(f(x) * f(x)))(x).numpy()
        with naive_twins():
            np.testing.assert_allclose(value, function(x).numpy(), rtol=1e-4, atol=1e-5)
            naive = grad(lambda x, f=function: F.sum(f(x) * f(x)))(x).numpy()
        np.testing.assert_allclose(slope, naive, rtol=1e-3, atol=2e-4)


def test_softmax_at_the_edge():
    x = Tensor([[1e4, 0.0, -1e4], [-np.inf, 2.0, -np.inf], [-np.inf] * 3])
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(F.softmax(x).numpy(), expected)
    assert np.isfinite(grad(lambda x: F.sum(F.softmax(x) * F.softmax(x)))(x).numpy()).all()
    with naive_twins():
        np.testing.assert_array_equal(F.softmax(x).numpy(), expected)
    assert np.isfinite(F.log_softmax(x[:1]).numpy()).all()


def test_great_numbers_give_no_nan():
    big = lambda *shape: Tensor(1e4 * real(*shape).numpy())  # noqa: E731
    calls = {
        "gelu": (F.gelu, [big(3, 5)]),
        "silu": (F.silu, [big(3, 5)]),
        "layer_norm": (F.layer_norm, [big(3, 5), big(5), big(5)]),
        "cross_entropy": (lambda x: F.cross_entropy(x, ids(5, 3)), [big(3, 5)]),
        "attention": (attend(causal=True), [big(1, 2, 5, 3)] * 3),
    }
    for function, args in calls.values():
        outputs, pull = vjp(function, *args)
        assert np.isfinite(outputs.numpy()).all()
        for g in pull(F.ones_like(outputs)):
            assert np.isfinite(g.numpy()).all()


def test_a_query_that_may_attend_to_nothing_gets_zeros_and_no_gradient():
    q, k, v = heads()
    allowed = np.ones((5, 7), bool)
    allowed[2] = False
    y, pull = vjp(attend(mask=allowed), q, k, v)
    assert not y.numpy()[:, :, 2].any()
    assert not pull(F.ones_like(y))[0].numpy()[:, :, 2].any()
    assert np.isfinite([g.numpy().sum() for g in pull(F.ones_like(y))]).all()


def test_causal_means_causal():
    q, k, v = heads(t=70, s=70, d=2, width=2, b=1, h=1)
    y, pull = vjp(attend(causal=True), q, k, v)
    for t in (0, 40, 63, 64, 68):
        seed = np.zeros(y.shape)
        seed[:, :, t] = 1
        _, gk, gv = pull(Tensor(seed, dtype=np.float64))
        assert not gk.numpy()[:, :, t + 1 :].any() and not gv.numpy()[:, :, t + 1 :].any()
        assert gv.numpy()[:, :, t].any()


@pytest.mark.parametrize("level", [0.0, 59.0, -70.0, 70.0, 1e4, -1e4])
def test_attention_bears_scores_of_any_level(level):
    """Whether a maximum is subtracted or not, it is the same function of the scores."""
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, 2, 70, 3), np.float32) for _ in range(3))
    q[..., 0], k[..., 0] = level, 1  # every score is about ``level``
    for options in ({}, {"causal": True}, {"mask": rng.random((70, 70)) < 0.7}):
        y = attend(scale=1.0, **options)(*map(Tensor, (q, k, v))).numpy()
        with naive_twins():
            expected = attend(scale=1.0, **options)(*map(Tensor, (q, k, v))).numpy()
        assert np.isfinite(y).all()
        np.testing.assert_allclose(y, expected, rtol=1e-3 if abs(level) == 1e4 else 2e-5, atol=1e-5)


def test_not_a_bit_of_a_row_depends_on_the_future_or_on_other_sequences():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, 2, 70, 3), np.float32) for _ in range(3))

    def first_rows():
        return attend(causal=True)(*map(Tensor, (q, k, v))).numpy()[0, :, :20]

    calm = first_rows()
    q[:, :, 20:], k[:, :, 20:] = 40, 40  # scores of thousands, in the same block of queries
    np.testing.assert_array_equal(first_rows(), calm)
    q[1], k[1] = 50, -50
    np.testing.assert_array_equal(first_rows(), calm)


def test_attention_over_no_keys_gives_zeros():
    y, pull = vjp(attend(), *heads(s=0))
    assert y.shape == (2, 3, 5, 2) and not y.numpy().any()
    assert [g.shape for g in pull(y)] == [(2, 3, 5, 4), (2, 3, 0, 4), (2, 3, 0, 2)]


def test_what_a_mask_hides_may_hold_any_target():
    x, hidden = real(3, 5), np.array([True, False, True])
    targets = np.array([1, -100, 4])
    loss = F.cross_entropy(x, targets, mask=hidden)
    rows = -np.log(np.exp(x.numpy()) / np.exp(x.numpy()).sum(-1, keepdims=True))
    assert loss.item() == pytest.approx((rows[0, 1] + rows[2, 4]) / 2)
    assert not grad(lambda x: F.cross_entropy(x, targets, mask=hidden))(x).numpy()[1].any()


def test_glu_gates_the_second_half_by_the_first():
    x = real(2, 6)
    a, b = x.numpy()[:, :3], x.numpy()[:, 3:]
    np.testing.assert_allclose(F.glu(x).numpy(), b / (1 + np.exp(-a)))
    check_grads(lambda x: F.glu(x, F.tanh, 0), x)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.linear(real(8, 32, 48), real(16, 64)), ValueError,
         r"\(\.\.\., 64\).*got \(8, 32, 48\) and \(16, 64\)"),
        (lambda: F.linear(real(3, 5), real(4, 5), real(5)), ValueError, r"bias of shape \(4,\)"),
        (lambda: F.layer_norm(real(3, 5), real(4), real(4)), ValueError, r"expected \(\.\.\., 4\)"),
        (lambda: F.rms_norm(real(3, 5), real(5, 1)), ValueError, "rms_norm expected"),
        (lambda: F.gelu(real(3), "fast"), ValueError, "'tanh' or 'none', got 'fast'"),
        (lambda: F.swiglu(real(3), real(5)), ValueError, r"\(3,\) and \(5,\)"),
        (lambda: F.softmax(real(3), 1), ValueError, "axis 1 does not exist"),
        (lambda: F.attention(real(2, 3, 5), real(2, 3, 5), real(2, 3, 5)), ValueError,
         r"q \(B, H, T, d\)"),
        (lambda: F.attention(*heads(), mask=np.ones((5, 7))), TypeError, "boolean mask.*float32"),
        (lambda: F.attention(*heads(), mask=mask(7, 5)), ValueError, r"7\), got \(7, 5\)"),
        (lambda: F.attention(*heads(), bias=real(7, 5)), ValueError, "a bias that broadcasts"),
        (lambda: F.cross_entropy(real(3, 5), ids(5, 2)), ValueError, r"\(3,\) for logits \(3, 5\)"),
        (lambda: F.cross_entropy(real(3, 5), [0, 5, 1]), IndexError, "0 to 4, got 0 to 5"),
        (lambda: F.cross_entropy(real(3, 5), np.ones(3)), TypeError, "integer targets"),
        (lambda: F.cross_entropy(real(3, 5), ids(5, 3), mask=np.zeros(3, bool)), ValueError,
         "at least one position"),
        (lambda: F.cross_entropy(real(3, 5), ids(5, 3), mask=np.ones(3)), ValueError, "boolean"),
        (lambda: F.cross_entropy(real(3, 5), ids(5, 3), reduction="avg"), ValueError, "'avg'"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_nothing_of_the_arguments_is_overwritten():
    for cases in CASES.values():
        for function, args in cases:
            before = [x.numpy().copy() for x in args]
            outputs, pull = vjp(function, *args)
            cotangent = real(*outputs.shape)
            held = cotangent.numpy().copy()
            flatten(pull(cotangent))
            pull(cotangent)
            for x, old in zip([*args, cotangent], [*before, held], strict=True):
                np.testing.assert_array_equal(x.numpy(), old)
