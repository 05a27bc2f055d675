"""The checks that all slots ask for: the same, whatever is called as ``part(x, ctx)``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.autograd import naive_twins
from minitx.autograd.check import check_grads
from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.contracts.battery import (
    Contract,
    NotOwed,
    Variant,
    as_function,
    changed,
    same,
    tokens,
)

stand_in: Any = None  # an array library that refuses silent conversions; tests bring one


def shape_and_dtype(variant: Variant) -> None:
    """(B, T, D) stays (B, T, D), float32 and float64 stay what they are, in gradients too."""
    for dtype in (np.float32, np.float64):
        module, x = variant.instance(dtype=dtype), tokens(dtype=dtype)
        function, weights = as_function(module)
        y, pull = vjp(function, weights, x)
        assert y.shape == x.shape, f"expected shape {x.shape}, got {y.shape}"
        assert y.dtype == dtype, f"expected {np.dtype(dtype)}, got {y.dtype}"
        held, dx = pull(Tensor(np.ones(y.shape), dtype=dtype))
        for name, gradient in {**held, "x": dx}.items():
            assert gradient.dtype == dtype, f"the gradient of {name} is {gradient.dtype}"


def gradient(variant: Variant) -> None:
    """Derivatives with respect to tokens and weights, both modes, second order, to 1e-6."""
    function, weights = as_function(variant.instance())
    check_grads(function, weights, tokens(length=3), tolerance=1e-6)


def batch_rows_independent(variant: Variant) -> None:
    """Rows of a batch do not hear one another."""
    module, x = variant.instance(), tokens(batch=3)
    whole = module(x).numpy()
    other = module(changed(x, np.s_[1:2])).numpy()
    same(other[[0, 2]], whole[[0, 2]], 1e-12, "another row of the batch was heard")
    same(module(x[1:2]).numpy(), whole[1:2], 1e-12, "a row alone differs from itself in a batch")


def cotangent(y: Tensor) -> Tensor:
    """Random numbers in the shape and type of y."""
    return Tensor(np.random.default_rng(11).standard_normal(y.shape), dtype=y.dtype)


def naive_is_fast(variant: Variant) -> None:
    """Fused steps and their naive twins agree in value and gradient, at lengths off the block."""
    for length in (1, 63, 65):
        module, x = variant.instance(), tokens(length)
        function, weights = as_function(module)
        fast, pull = vjp(function, weights, x)
        fast_gradients = pull(cotangent(fast))
        with naive_twins():
            naive, pull = vjp(function, weights, x)
            naive_gradients = pull(cotangent(fast))
        same(fast.numpy(), naive.numpy(), 1e-11, f"fast and naive at length {length}")
        same(fast_gradients[1].numpy(), naive_gradients[1].numpy(), 1e-10, "gradient of x")
        for name, found in fast_gradients[0].items():
            expected = naive_gradients[0][name].numpy()
            same(found.numpy(), expected, 1e-10, f"gradient of {name} at length {length}")


def large_inputs(variant: Variant) -> None:
    """Tokens of size 1e4 in float32 give finite outputs and gradients."""
    module, x = variant.instance(dtype=np.float32), tokens(dtype=np.float32)
    function, weights = as_function(module)
    with np.errstate(all="ignore"):  # the numbers are looked at, not the warnings
        y, pull = vjp(function, weights, x * 1e4)
        held, dx = pull(cotangent(y))
    assert np.isfinite(y.numpy()).all(), "the output is not finite"
    for name, found in {**held, "x": dx}.items():
        assert np.isfinite(found.numpy()).all(), f"the gradient of {name} is not finite"


def save_and_load(variant: Variant) -> None:
    """Another instance that loads the state gives the same bits."""
    first, second, x = variant.instance(seed=0), variant.instance(seed=5), tokens()
    assert first.state_dict().keys() == second.state_dict().keys()
    if first.parameters():
        assert not np.array_equal(first(x).numpy(), second(x).numpy()), "the weights do nothing"
    second.load_state_dict(first.state_dict())
    assert np.array_equal(first(x).numpy(), second(x).numpy()), "the state is not the whole state"


def same_seed_same_bits(variant: Variant) -> None:
    """Two instances of one seed are the same, bit for bit, and calling one leaves no trace."""
    first, second, x = variant.instance(seed=3), variant.instance(seed=3), tokens()
    once = first(x).numpy().copy()
    assert np.array_equal(once, second(x).numpy()), "two instances of one seed differ"
    assert np.array_equal(once, first(x).numpy()), "a second call gives another result"


def stays_on_its_device(variant: Variant) -> None:
    """On arrays that refuse to become NumPy arrays, value and gradient are the same."""
    if stand_in is None:
        raise NotOwed
    module, x = variant.instance(dtype=np.float32), tokens(dtype=np.float32)
    expected = module(x).numpy()
    moved, there = stand_in.convert(module), stand_in.tensor(x, requires_grad=True)
    y = moved(there)
    y.backward(stand_in.tensor(np.ones(y.shape)))
    same(y.data.get(), expected, 1e-6, "the value on another device")
    assert there.grad is not None, "no gradient on another device"


COMMON: tuple[Callable[[Variant], None], ...] = (
    shape_and_dtype, gradient, batch_rows_independent, naive_is_fast, large_inputs, save_and_load,
    same_seed_same_bits, stays_on_its_device,
)  # fmt: skip


def contract(name: str, *traits: str) -> Contract:
    """A contract that begins with the checks that all slots have in common."""
    return Contract(name, traits, list(COMMON))
