"""Products by panels: the numbers of the plain product, whatever the shapes and the order."""

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
    for dtype in (np.int64, np.float16, np.complex64):  # not for BLAS, or not tried
        assert not panels._pays(np.ones((2000, 384), dtype), np.ones((384, 384), dtype))
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


def test_rows_on_threads_keep_the_panels_and_follow_the_weights(fast):
    layer, made = nn.Linear(400, 420, rng=0), []
    run = on_rows(lambda x: made.append(len(panels._here.panels)) or layer(Tensor(x)), threads=2)
    x = np.random.default_rng(0).standard_normal((90, 400), np.float32)
    for factor in (1, 2):
        expected = x @ layer.weight.numpy().T + layer.bias.numpy()
        found = run(x)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
        np.testing.assert_array_equal(run(x).numpy(), found.numpy())
        layer.weight.assign(factor * 2 * layer.weight.numpy())
    assert (max(made) > 0) == fast  # 45 rows are too many where small products are slow


def test_threads_that_share_panels_make_those_of_a_weight_once(monkeypatch):
    kept, weight = panels.Panels(many=True), Tensor(np.ones((512, 512), np.float32))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept.of(weight), range(64)))
    assert all(panel is found[0] for panel in found) and len(kept) == 1


def test_who_is_recorded_or_alone_meets_no_panels():
    x, weight = Tensor(np.ones((40, 512), np.float32)), Tensor(np.ones((512, 512), np.float32))
    kept = panels.Panels(many=True)
    with kept.in_use():
        F.linear(x, Tensor(weight.numpy(), requires_grad=True))
        with no_grad():
            F.linear(x[:1], weight)
    assert len(kept) == 0


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
