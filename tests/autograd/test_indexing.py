"""Picking entries by every index that NumPy takes, and adding them up where they came from."""

import hypothesis.extra.numpy as shapes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from minitx.autograd.transforms import grad
from tests.autograd.battery import cplx, prove, real

INDICES = [
    2, -1, np.int64(1), slice(None), slice(1, None, 2), slice(None, None, -1), slice(2, 2), None,
    Ellipsis, (1, 2), (slice(None), 0), (Ellipsis, -2), (None, 1, None), (slice(0, 0), 1),
    [0, 0, 2], np.array([2, 0, 2, 2]), np.array([[0, 1], [1, 1]]), np.zeros((0,), int),
    np.array([True, False, True, False]), (np.array([0, 0, 3]), np.array([1, 1, 2])),
    (slice(None), np.array([0, 0])), (np.array([[0], [3]]), np.array([1, 1, 2])),
    (np.array([1, 1]), slice(1, 3)), (np.array([1, 2]), None, slice(None)), (2, np.array([1, 1])),
    np.array(3), True, (slice(None), np.array([True, False, True, True, False])),
]  # fmt: skip
CASES = {"getitem", "scatter_add", "embedding", "add_rows"}


@pytest.mark.parametrize("number", range(len(INDICES)))
def test_getitem_takes_every_index(number):
    index = INDICES[number]
    for x in (real(4, 5), cplx(4, 5)):
        prove("getitem", lambda x: x[index], x)
        got, expected = x[index].numpy(), x.numpy()[index]
        assert got.shape == np.shape(expected)
        np.testing.assert_array_equal(got, expected)


@given(st.data())
def test_getitem_of_arbitrary_shapes_and_indices(data):
    shape = data.draw(shapes.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    index = data.draw(
        st.one_of(
            shapes.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
            shapes.integer_array_indices(shape),
        )
    )
    values = np.random.default_rng(0).standard_normal(shape)
    x = Tensor(values, dtype=np.float64)
    picked = x[index]
    np.testing.assert_array_equal(picked.numpy(), values[index])
    weights = np.random.default_rng(1).standard_normal(picked.shape)
    got = grad(lambda x: (x[index] * Tensor(weights, dtype=np.float64)).sum())(x).numpy()
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    np.testing.assert_allclose(got, expected, atol=1e-15)


def test_a_tensor_is_an_index():
    x, ids = real(4, 5), Tensor([3, 0, 3])
    np.testing.assert_array_equal(x[ids].numpy(), x.numpy()[[3, 0, 3]])
    np.testing.assert_array_equal(x[:, ids].numpy(), x.numpy()[:, [3, 0, 3]])
    mask = x > 0
    np.testing.assert_array_equal(x[mask].numpy(), x.numpy()[x.numpy() > 0])
    check_grads(lambda x: x[mask] * x[mask], x)


def test_iterating_gives_rows_that_can_be_differentiated():
    x = real(3, 2)
    check_grads(lambda x: sum((row * i for i, row in enumerate(x)), start=0.0), x)
    assert len(x) == 3
    with pytest.raises(TypeError, match="no length"):
        len(Tensor(1.0))


@pytest.mark.parametrize(
    ("index", "shape", "values"),
    [
        (np.array([0, 2, 2, 0]), (3,), (4,)),
        (np.array([0, 2, 2, 0]), (3, 5), (4, 5)),
        ((slice(None), np.array([1, 1])), (2, 3), (2, 2)),
        ((np.array([0, 1, 1]), np.array([4, 4, 4])), (2, 5), (3,)),
        (slice(1, 3), (4, 2), (2, 2)),
        (np.zeros((0,), int), (3, 2), (0, 2)),
    ],
)
def test_scatter_add(index, shape, values):
    x = real(*values)
    prove("scatter_add", lambda x: F.scatter_add(x, index, shape), x)
    expected = np.zeros(shape)
    np.add.at(expected, index, x.numpy())
    np.testing.assert_allclose(F.scatter_add(x, index, shape).numpy(), expected)


def test_take_along_axis():
    x = real(2, 3, 5)
    for axis, length in [(0, 4), (1, 7), (-1, 2)]:
        shape = [2, 3, 5]
        shape[axis] = length
        ids = np.random.default_rng(0).integers(x.shape[axis], size=shape)
        check_grads(lambda x, i=ids, a=axis: F.take_along_axis(x, i, a), x)
        np.testing.assert_array_equal(
            F.take_along_axis(x, ids, axis).numpy(), np.take_along_axis(x.numpy(), ids, axis)
        )
    with pytest.raises(ValueError, match="3 axes"):
        F.take_along_axis(x, np.array([0]), 0)
    with pytest.raises(ValueError, match="off axis 0"):
        F.take_along_axis(x, np.zeros((1, 2, 5), int), 0)


@pytest.mark.parametrize("ids", [(7,), (2, 3), (), (0,), (2, 0)])
@pytest.mark.parametrize("width", [(), (5,), (2, 4), (0,)])
def test_embedding(ids, width):
    table = real(4, *width)
    chosen = np.random.default_rng(0).integers(4, size=ids)
    prove("embedding", lambda t: F.embedding(t, chosen), table)
    np.testing.assert_array_equal(F.embedding(table, chosen).numpy(), table.numpy()[chosen])
    weights = real(*ids, *width, seed=1)
    got = grad(lambda t: (F.embedding(t, chosen) * weights).sum())(table).numpy()
    expected = np.zeros(table.shape)
    np.add.at(expected, chosen, weights.numpy())
    np.testing.assert_allclose(got, expected, atol=1e-14)


def test_ids_out_of_range_are_named():
    table = real(4, 2)
    for ids, message in [([0, 4], "from 0 to 3, got 0 to 4"), ([-1, 2], "got -1 to 2")]:
        with pytest.raises(IndexError, match=message):
            F.embedding(table, ids)
    with pytest.raises(TypeError, match="integer ids, got float32"):
        F.embedding(table, Tensor([0.0]))


def test_an_index_out_of_range_is_an_error():
    with pytest.raises(IndexError, match="out of bounds"):
        real(4, 2)[4]
