"""Numbers as digits and images as patches: exact inverses, order, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitx
from minitx.tokens import NumberTokens, from_digits, from_patches, to_digits, to_patches, windows


def test_digits_in_both_orders():
    assert to_digits(np.array([1207, 5]), 5).tolist() == [[0, 1, 2, 0, 7], [0, 0, 0, 0, 5]]
    assert to_digits(np.array(1207), 4, reverse=True).tolist() == [7, 0, 2, 1]
    assert to_digits(np.array([6]), 3, base=2).tolist() == [[1, 1, 0]]


@given(st.lists(st.integers(0, 7**5 - 1), min_size=1), st.booleans())
def test_digits_and_back(numbers, reverse):
    digits = to_digits(np.array(numbers), 5, 7, reverse)
    assert digits.shape == (len(numbers), 5)
    assert from_digits(digits, 7, reverse).tolist() == numbers


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: to_digits(np.array([3, 100]), 2), r"10\*\*2, got 100"),
        (lambda: to_digits(np.array([-1]), 2), "got -1"),
        (lambda: to_digits(np.array([1]), 2, base=1), "base of 2 or more, got 1"),
        (lambda: from_digits(np.array([1, 10])), "0 to 9, got 1 to 10"),
        (lambda: from_digits(np.ones(30, int)), "30 digits of base 10 do not fit"),
        (lambda: NumberTokens("++"), "signs that differ"),
        (lambda: NumberTokens().row("+"), "signs alone"),
        (lambda: NumberTokens().padded([np.ones(4)], 3), "at most 3 tokens, got 4"),
        (lambda: to_patches(np.zeros((2, 6, 9, 3)), 4), "4 x 4 do not tile an image of 6 x 9"),
        (lambda: to_patches(np.zeros((6, 9, 3)), 3), r"\(B, H, W, C\), got \(6, 9, 3\)"),
        (lambda: to_patches(np.zeros((2, 6, 9, 3)), 0), "1 or more, got 0 x 0"),
        (lambda: from_patches(np.zeros((2, 5, 9)), 6, 9, 3), r"\(B, 6, a multiple of 9\)"),
        (lambda: windows(np.zeros((5, 2)), 6), "5 steps has no window of 6"),
        (lambda: windows(np.zeros(5), 2), r"\(\.\.\., T, C\), got \(5,\)"),
        (lambda: windows(np.zeros((5, 2)), 2, 0), "stride of 1 or more"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_digits_of_floats_are_refused():
    with pytest.raises(TypeError, match="integers, got float64"):
        to_digits(np.array([1.5]), 3)


def test_rows_of_digits_and_signs():
    tokens = NumberTokens("+=", base=10)
    a, b = to_digits(np.array([12, 7]), 2), to_digits(np.array([5, 88]), 3)
    rows = tokens.row(a, "+", b, "=")
    assert [tokens.text(row) for row in rows] == ["12+005=", "07+088="]
    padded = tokens.padded([rows[0], rows[1][:3]], 9)
    assert [tokens.text(row) for row in padded] == ["12+005=__", "07+______"]
    assert tokens.vocab_size == 13
    assert padded.max() == tokens.pad == 12


def test_patches_are_rows_of_the_image():
    images = np.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
    patches = to_patches(images, (2, 3))
    assert patches.shape == (2, 4, 18)
    for place, (i, j) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        part = images[:, 2 * i : 2 * i + 2, 3 * j : 3 * j + 3]
        assert (patches[:, place] == part.reshape(2, 18)).all()


@pytest.mark.parametrize("size", [1, 5, (5, 7), (15, 1), (15, 35)])
def test_patches_and_back(size):
    images = np.random.default_rng(0).random((3, 15, 35, 2))
    assert (from_patches(to_patches(images, size), 15, 35, size) == images).all()


def test_a_gradient_goes_through_patches():
    images = minitx.Tensor(np.random.default_rng(0).random((2, 6, 9, 3)), requires_grad=True)
    again = from_patches(to_patches(images, 3), 6, 9, 3)
    (again * again).sum().backward()
    np.testing.assert_allclose(images.grad.data, 2 * images.data, rtol=1e-6)


def test_windows_of_a_series():
    series = np.arange(2 * 11 * 3).reshape(2, 11, 3)
    cut = windows(series, 4, 3)
    assert cut.shape == (2, 3, 4, 3)
    for n in range(3):
        assert (cut[:, n] == series[:, 3 * n : 3 * n + 4]).all()
    assert windows(series, 11).shape == (2, 1, 11, 3)
