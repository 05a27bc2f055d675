"""Primitives that move entries about: values as NumPy's, derivatives, arguments out of range."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from minitx.autograd.check import check_grads
from tests.autograd.battery import cplx, prove, real

# (primitive, function of Tensors, the same on arrays, shapes)
MOVES = [
    ("reshape", lambda x: F.reshape(x, 5, -1), lambda x: x.reshape(5, -1), (2, 3, 5)),
    ("reshape", lambda x: F.reshape(x, (6, 5)), lambda x: x.reshape(6, 5), (2, 3, 5)),
    ("reshape", lambda x: F.reshape(x, ()), lambda x: x.reshape(()), (1, 1)),
    ("reshape", lambda x: F.reshape(x, (0, 7)), lambda x: x.reshape(0, 7), (2, 0)),
    ("transpose", lambda x: F.transpose(x), lambda x: x.T, (2, 3, 5)),
    ("transpose", lambda x: F.transpose(x, 1, -1, 0), lambda x: x.transpose(1, 2, 0), (2, 3, 5)),
    ("transpose", lambda x: F.transpose(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), (2, 0, 5)),
    ("transpose", lambda x: F.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), (2, 3, 5)),
    ("swapaxes", lambda x: F.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, -1), (2, 3, 5)),
    ("reshape", lambda x: F.expand_dims(x, 1), lambda x: x[:, None], (2, 3)),
    ("reshape", lambda x: F.squeeze(x), np.squeeze, (2, 1, 1, 3)),
    ("reshape", lambda x: F.squeeze(x, -2), lambda x: x.squeeze(-2), (2, 1, 1, 3)),
    ("broadcast_to", lambda x: F.broadcast_to(x, 2, 3, 5),
     lambda x: np.broadcast_to(x, (2, 3, 5)), (3, 1)),
    ("broadcast_to", lambda x: F.broadcast_to(x, (0, 3)),
     lambda x: np.broadcast_to(x, (0, 3)), (1, 3)),
    ("pad", lambda x: F.pad(x, [(1, 2), (0, 3)]), lambda x: np.pad(x, [(1, 2), (0, 3)]), (2, 5)),
    ("pad", lambda x: F.pad(x, [(1, 0)], value=7.5),
     lambda x: np.pad(x, [(1, 0)], constant_values=7.5), (3,)),
    ("pad", lambda x: F.pad(x, [(2, 1), (0, 0)]), lambda x: np.pad(x, [(2, 1), (0, 0)]), (0, 2)),
    ("flip", lambda x: F.flip(x), np.flip, (2, 3)),
    ("flip", lambda x: F.flip(x, -1), lambda x: np.flip(x, -1), (2, 3)),
    ("roll", lambda x: F.roll(x, 2, 1), lambda x: np.roll(x, 2, 1), (2, 5)),
    ("roll", lambda x: F.roll(x, (1, -3), (0, -1)),
     lambda x: np.roll(x, (1, -3), (0, -1)), (2, 5)),
    ("tril", lambda x: F.tril(x), np.tril, (3, 5)),
    ("tril", lambda x: F.tril(x, -1), lambda x: np.tril(x, -1), (2, 5, 3)),
    ("triu", lambda x: F.triu(x, 1), lambda x: np.triu(x, 1), (3, 5)),
    ("broadcast_to", lambda x: F.repeat(x, 3, 1), lambda x: np.repeat(x, 3, 1), (2, 5)),
    ("concatenate", lambda x: F.tile(x, 3, 1), lambda x: np.tile(x, (1, 3)), (2, 5)),
    ("split", lambda x: F.concatenate(F.split(x, [1, 3], 1)[::-1], 1),
     lambda x: np.concatenate([x[:, 1:], x[:, :1]], 1), (2, 4)),
    ("split", lambda x: F.split(x, 3, -1)[1], lambda x: x[:, 2:4], (5, 6)),
]  # fmt: skip
CASES = {name for name, *_ in MOVES}


@pytest.mark.parametrize("number", range(len(MOVES)))
def test_moves(number):
    name, function, reference, shape = MOVES[number]
    for x in (real(*shape), cplx(*shape)):
        prove(name, function, x)
        np.testing.assert_array_equal(function(x).numpy(), reference(x.numpy()))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concatenate_and_stack(axis):
    shapes = {0: [(1, 3, 5), (2, 3, 5), (0, 3, 5)], 1: [(2, 4, 5), (2, 1, 5)], -1: [(2, 3, 1)] * 2}
    parts = [real(*shape, seed=i) for i, shape in enumerate(shapes[axis])]
    prove("concatenate", lambda *parts: F.concatenate(parts, axis), *parts)
    constant = parts[1].numpy()
    check_grads(lambda part: F.concatenate([part, constant], axis), parts[0])
    arrays = [part.numpy() for part in parts]
    np.testing.assert_array_equal(F.concatenate(parts, axis).numpy(), np.concatenate(arrays, axis))
    same = [real(2, 3, seed=i) for i in range(4)]
    prove("concatenate", lambda *parts: F.stack(parts, axis), *same)
    np.testing.assert_array_equal(
        F.stack(same, axis).numpy(), np.stack([part.numpy() for part in same], axis)
    )


def test_concatenate_of_one_tensor_with_itself():
    check_grads(lambda x: F.concatenate([x, x, x * 2.0]), real(3))


def test_mixed_dtypes_meet_in_concatenate():
    a, b = Tensor([1.0], dtype=np.float32), Tensor([2.0], dtype=np.float64)
    assert F.concatenate([a, b]).dtype == np.float64
    assert F.concatenate([a, np.array([2.0])]).dtype == np.float32


def test_split_gives_parts_that_are_differentiated_alone():
    x = real(2, 7)
    check_grads(lambda x: F.split(x, [2, 4, 1], 1), x)
    check_grads(lambda x: F.split(x, [2, 5], 1)[0], x)
    check_grads(lambda x: F.split(x, [0, 7], 1)[1] * 2.0, x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: F.reshape(x, 4, 2), r"cannot reshape \(2, 3\) \(6 entries\) to \(4, 2\)"),
        (lambda x: F.reshape(x, -1, -1), "cannot reshape"),
        (lambda x: F.reshape(x, 4, -1), "cannot reshape"),
        (lambda x: F.transpose(x, 0, 2), r"all 2 axes in some order, got \(0, 2\)"),
        (lambda x: F.transpose(x, 0, 0), "all 2 axes"),
        (lambda x: F.squeeze(x, 0), r"axes of length 1, got axis 0 of \(2, 3\)"),
        (lambda x: F.split(x, 2, 1), r"cannot split axis 1 of \(2, 3\) into 2"),
        (lambda x: F.split(x, [1, 1], 1), "add up to 3"),
        (lambda x: F.pad(x, [(1, 1)]), "expected 2 pairs"),
        (lambda x: F.swapaxes(x, 0, 2), "axis 2 does not exist"),
        (lambda x: F.concatenate([x, x.T]), r"got \(2, 3\), \(3, 2\)"),
        (lambda x: F.concatenate([]), "at least one"),
        (lambda x: F.flip(x, 3), "axis 3"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(real(2, 3))
