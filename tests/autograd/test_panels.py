"""Products by panels: the numbers of the plain product, whatever the shapes and the order."""

import copy
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minitx import functional as F
from minitx import nn
from minitx.autograd import Tensor, naive_twins, no_grad
from minitx.autograd.fused import panels
from minitx.autograd.transforms import vjp
from minitx.backend import threads
from minitx.inference import on_rows
from tests.autograd.battery import real

SHAPES = [
    (400, 64, 80),  # 16 columns are left over
    (1000, 100, 64),  # 4 rows are left over
    (385, 300, 130),
    (64, 1500, 192),  # few rows: the panels are not copied
    (130, 2100, 70),  # deeper than a panel goes at once
    (500, 1536, 64),  # rows a multiple of 1 KiB apart
    (2000, 384, 384),
]


@pytest.fixture(params=[True, False], ids=["small products fast", "slow"])
def fast(request, monkeypatch):
    monkeypatch.setattr(panels, "small_products_are_fast", lambda: request.param)
    return request.param


def matrices(shape, transposed, dtype):
    rows, depth, width = shape
    rng = np.random.default_rng(depth)
    a, b = rng.standard_normal((rows, depth)), rng.standard_normal((depth, width))
    turned = [np.asarray(x, dtype, order="F" if t else "C") for x, t in zip((a, b), transposed)]
    return *turned, a @ b


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_product_is_the_product(fast, shape, transposed, dtype):
    a, b, expected = matrices(shape, transposed, dtype)
    found = panels.product(np, a, b)
    assert found.dtype == dtype and found.flags.c_contiguous
    np.testing.assert_allclose(found, expected, atol=5e-4 if dtype == np.float32 else 1e-11)
    np.testing.assert_array_equal(found, panels.product(np, a, b))


@pytest.mark.parametrize("transposed", [(0, 0), (0, 1), (1, 0)])
def test_it_is_cut_where_that_pays_and_nowhere_else(monkeypatch, transposed):
    monkeypatch.setattr(panels, "small_products_are_fast", lambda: True)
    cut = {
        shape: bool(panels._pays(*matrices(shape, transposed, np.float32)[:2])) for shape in SHAPES
    }
    expected = {
        (0, 0): set(SHAPES),
        (0, 1): {shape for shape in SHAPES if shape[0] >= 384},  # a copy for so few rows: no
        (1, 0): set(SHAPES),
    }[transposed]
    assert {shape for shape in SHAPES if cut[shape]} == expected
    small = matrices((64, 64, 64), transposed, np.float32)[:2]
    assert not panels._pays(*small)
    many, square = np.ones((2000, 384), np.float32), np.ones((384, 384), np.float32)
    for dtype in (np.int64, np.float16, np.complex64):  # not for BLAS, or not tried
        assert not panels._pays(many.astype(dtype), square.astype(dtype))
    assert not panels._pays(many, square.astype(np.float64))
    monkeypatch.setattr(panels, "small_products_are_fast", lambda: False)
    assert not any(panels._pays(*matrices(shape, transposed, np.float32)[:2]) for shape in SHAPES)


def test_linear_equals_its_naive_twin(fast):
    given, seed = (real(3, 200, 100), real(140, 100, seed=1)), real(3, 200, 140, seed=3)
    outputs, pull = vjp(F.linear, *given)
    found = [outputs, *pull(seed)]
    with naive_twins():
        outputs, pull = vjp(F.linear, *given)
        expected = [outputs, *pull(seed)]
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=1e-9)


def test_rows_on_threads_share_panels_for_one_call(fast):
    layer, made = nn.Linear(400, 420, rng=0).freeze(), []

    def function(x):
        y, here = layer(Tensor(x)), panels._here.panels
        made.append(0 if here is None else len(here))
        return y

    run = on_rows(function, threads=2)
    x = np.random.default_rng(0).standard_normal((900, 400), np.float32)
    for _ in range(3):
        expected = x @ layer.weight.numpy().T + layer.bias.numpy()
        found = run(x)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
        np.testing.assert_array_equal(run(x).numpy(), found.numpy())
        layer.weight.data *= 2  # in place, and frozen: nothing says so
    assert set(made) == {int(fast)}
    run(x[:90]), run(x[:1])
    assert made[-3:] == [0, 0, 0]  # so few do not repay a copy
    assert run(x[:0]).shape == (0, 420)


def test_threads_that_share_panels_make_those_of_a_weight_once(monkeypatch):
    kept, weight, times = panels.Panels(many=True), Tensor(np.ones((512, 512), np.float32)), []
    make = kept._made

    def slowly(array):
        times.append(array)
        time.sleep(0.05)  # long enough for the others to come
        return make(array)

    monkeypatch.setattr(kept, "_made", slowly)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept.of(weight), range(8)))
    assert all(panel is found[0] for panel in found) and len(times) == 1


def test_who_is_recorded_or_few_meets_no_panels(monkeypatch):
    monkeypatch.setattr(panels, "small_products_are_fast", lambda: True)
    weight = np.ones((512, 512), np.float32)
    kept, x = panels.Panels(many=True), Tensor(np.ones((400, 512), np.float32))
    with kept.in_use():
        F.linear(x, Tensor(weight, requires_grad=True))
        assert len(kept) == 0
        with no_grad():
            for rows in (0, 1, 2, 383):
                assert F.linear(x[:rows], Tensor(weight)).shape == (rows, 512)
            assert len(kept) == 0
            F.linear(x, Tensor(weight))
    assert len(kept) == 1


def test_weights_that_are_gone_leave_nothing_behind():
    kept, x = panels.Panels(), Tensor(np.ones((4, 512), np.float32))
    with no_grad(), kept.in_use():
        weight = Tensor(np.ones((512, 512), np.float32))
        gone = weakref.ref(weight.data)
        F.linear(x, weight)
        del weight
    assert gone() is None
    assert len(copy.deepcopy(kept)) == 0


def test_small_products_are_fast_on_one_thread_of_some_processors(monkeypatch):
    if threads._calls() is None:
        pytest.skip("NumPy's BLAS cannot be asked")
    monkeypatch.setattr(threads, "_core", lambda: "SkylakeX")
    with threads.blas_threads(1):
        assert threads.small_products_are_fast()
    with threads.blas_threads(2):
        assert not threads.small_products_are_fast()
    monkeypatch.setattr(threads, "_core", lambda: "Haswell")
    with threads.blas_threads(1):
        assert not threads.small_products_are_fast()
    monkeypatch.setattr(threads, "_calls", lambda: None)
    assert not threads.small_products_are_fast()


def test_the_processor_is_known_where_blas_says_it():
    assert isinstance(threads._core(), str)
    if threads._function("get_corename") is not None:
        assert threads._core()
