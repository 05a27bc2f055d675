"""Sort, argsort and top-k: values as NumPy's, derivatives, ties, NaN, arguments out of range."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from tests.autograd.battery import distinct, prove, real

CASES = {"pick", "put"}


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sort(axis):
    x = distinct(3, 5, 7)
    prove("pick", lambda x: F.sort(x, axis), x)
    prove("pick", lambda x: F.sort(x, axis, descending=True), x)
    np.testing.assert_array_equal(F.sort(x, axis).numpy(), np.sort(x.numpy(), axis))
    down = F.sort(x, axis, descending=True).numpy()
    np.testing.assert_array_equal(down, np.flip(np.sort(x.numpy(), axis), axis))
    np.testing.assert_array_equal(F.argsort(x, axis).numpy(), np.argsort(x.numpy(), axis))


@pytest.mark.parametrize("k", [0, 1, 4, 5])
def test_topk(k):
    x = distinct(3, 5, 7)
    if k:
        prove("pick", lambda x: F.topk(x, k, axis=1)[0], x)
    values, indices = F.topk(x, k, axis=1)
    assert values.shape == indices.shape == (3, k, 7)
    expected = np.flip(np.sort(x.numpy(), 1), 1)[:, :k]
    np.testing.assert_array_equal(values.numpy(), expected)
    np.testing.assert_array_equal(np.take_along_axis(x.numpy(), indices.numpy(), 1), expected)
    assert indices.dtype == np.int64
    assert not indices.requires_grad


def test_putting_back_is_differentiable():
    from minitx.autograd.rules.sorting import put_

    indices = np.array([[3, 0], [1, 4], [2, 0]])
    prove("put", lambda x: put_(x, indices=indices, axis=1, length=5), real(3, 2))
    placed = put_(Tensor([[1.0, 2.0]]), indices=np.array([[3, 0]]), axis=1, length=5)
    assert placed.tolist() == [[2, 0, 0, 1, 0]]


def test_ties_keep_their_order_in_both_directions():
    x = Tensor(np.array([2, 1, 2, 1, 3]))
    assert F.argsort(x).tolist() == [1, 3, 0, 2, 4]
    assert F.argsort(x, descending=True).tolist() == [4, 0, 2, 1, 3]
    assert F.topk(x, 5)[1].tolist() == [4, 0, 2, 1, 3]
    assert F.topk(x, 3)[1].tolist() == [4, 0, 2]
    assert F.sort(x).dtype == np.int64


def test_nan_is_the_greatest():
    x = Tensor([1.0, np.nan, 3.0])
    assert F.argsort(x).tolist() == [0, 2, 1]
    assert F.argsort(x, descending=True).tolist() == [1, 2, 0]
    assert F.topk(x, 2)[1].tolist() == [1, 2]


def test_axes_of_length_zero_and_one():
    for shape in ((0, 3), (2, 0), (1, 1)):
        check_grads(F.sort, real(*shape))
    assert F.topk(real(0, 3), 2)[0].shape == (0, 2)
    assert F.topk(real(2, 0), 0)[0].shape == (2, 0)


@pytest.mark.parametrize("k", [-1, 6])
def test_a_k_out_of_range_is_named(k):
    with pytest.raises(ValueError, match=f"k from 0 to 5, the length of axis 1, got {k}"):
        F.topk(real(3, 5), k)


def test_bad_axes_are_named():
    with pytest.raises(ValueError, match="axis 2 does not exist in a Tensor of 2 axes"):
        F.sort(real(3, 5), 2)
    with pytest.raises(ValueError, match="without axes"):
        F.sort(real())
