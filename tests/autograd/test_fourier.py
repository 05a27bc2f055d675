"""Fourier transforms: values as NumPy's, derivatives, round trips, arguments out of range."""

import numpy as np
import pytest

from minitx import functional as F
from minitx.autograd import Tensor
from tests.autograd.battery import cplx, prove, real

CASES = {"fft", "ifft", "rfft", "irfft"}


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("n", [None, 1, 2, 5, 6, 9])  # shorter, equal and longer; odd and even
@pytest.mark.parametrize("name", sorted(CASES))
def test_along_an_axis(name, n, norm):
    for make in (real, cplx):
        if name == "rfft" and make is cplx:
            continue
        for axis in (0, -1):
            x = make(6, 5)
            function = getattr(F, name)
            prove(name, lambda x, f=function, a=axis: f(x, n, a, norm), x)
            expected = getattr(np.fft, name)(x.numpy(), n, axis, norm)
            np.testing.assert_allclose(function(x, n, axis, norm).numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("s_axes", [(None, (-2, -1)), ((4, 7), (0, 2)), ((3, 5), (2, 1))])
@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
def test_along_two_axes(name, s_axes):
    x, function = real(3, 5, 6), getattr(F, name)
    prove(name[:-1], lambda x: function(x, *s_axes, "ortho"), x)
    expected = getattr(np.fft, name)(x.numpy(), *s_axes, "ortho")
    np.testing.assert_allclose(function(x, *s_axes, "ortho").numpy(), expected, atol=1e-13)


def test_there_and_back():
    x = real(3, 7)
    np.testing.assert_allclose(F.irfft(F.rfft(x), 7).numpy(), x.numpy(), atol=1e-14)
    z = cplx(2, 5, 6)
    np.testing.assert_allclose(F.ifft2(F.fft2(z)).numpy(), z.numpy(), atol=1e-14)


def test_a_product_of_spectra_is_a_circular_convolution():
    a, b = real(7), real(7, seed=1)
    found = F.irfft(F.rfft(a) * F.rfft(b), 7).numpy()
    expected = [sum(a.numpy()[j] * b.numpy()[(i - j) % 7] for j in range(7)) for i in range(7)]
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_single_precision_is_kept():
    x = Tensor(np.ones((2, 6)), requires_grad=True)
    spectrum = F.rfft(x)
    assert spectrum.dtype == np.complex64
    y = F.irfft(spectrum * spectrum)
    assert y.dtype == np.float32
    F.sum(y).backward()
    assert x.grad.dtype == np.float32
    assert F.fft(Tensor(np.arange(4))).dtype == np.complex64


def test_batches_of_nothing():
    assert F.fft(real(0, 4)).shape == (0, 4)
    prove("rfft", F.rfft, real(0, 4))
    prove("irfft", lambda x: F.irfft(x, 4), real(0, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.fft(real(3, 5), 0), ValueError, r"at least 1 point, got 0 .*\(3, 5\)"),
        (lambda: F.irfft(real(3, 1)), ValueError, r"at least 1 point, got 0 .*\(3, 1\)"),
        (lambda: F.fft(real(3, 5), axis=2), ValueError, "axis 2 does not exist"),
        (lambda: F.fft(real(3, 5), norm="unit"), ValueError, "got 'unit'"),
        (lambda: F.fft2(real(3, 5), s=(3,)), ValueError, r"two numbers of points, got \(3,\)"),
        (lambda: F.rfft(cplx(3, 5)), TypeError, "real Tensor, got complex128"),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
