"""Matrices chosen row by row, and the choices: against all experts with masks, and by hand."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.autograd.transforms import vjp
from minitx.nn.experts import Chooser, Uses, expert_matmul, expert_outer_, naive_expert_matmul
from tests.autograd.battery import prove, real

R, D, W, E, K = 7, 5, 3, 4, 2


def draw(seed=0):
    rng = np.random.default_rng(seed)
    index = np.stack([rng.permutation(E)[:K] for _ in range(R)])
    return real(R, D), real(E, D, W), index


def test_gathered_rows_are_the_dense_loop_with_masks():
    x, weight, index = draw()
    results = []
    for function in (expert_matmul, naive_expert_matmul):
        y, pull = vjp(lambda x, weight, f=function: f(x, weight, index), x, weight)
        results.append([y, *pull(real(R, K, W, seed=3))])
    assert results[0][0].shape == (R, K, W)
    for fast, slow in zip(*results, strict=True):
        assert np.abs(fast.numpy() - slow.numpy()).max() < 1e-12


def test_an_expert_that_nobody_takes_has_no_gradient():
    x, weight, index = draw()
    _, pull = vjp(lambda weight: expert_matmul(x, weight, index % 3), weight)
    (found,) = pull(real(R, K, W, seed=3))
    assert not found.numpy()[3].any() and np.abs(found.numpy()[:3]).min() > 0


def test_rules():
    x, weight, index = draw()
    prove("expert_matmul", lambda x, weight: expert_matmul(x, weight, index), x, weight)
    outer = lambda x, g: expert_outer_(x, g, index=index, experts=E)  # noqa: E731
    prove("expert_outer", outer, x, real(R, K, W, seed=3))


def test_no_rows_and_one_expert():
    _, weight, index = draw()
    assert expert_matmul(real(0, D), weight, index[:0]).shape == (0, K, W)
    x = real(R, D)
    alone = expert_matmul(x, weight[:1], np.zeros((R, 1), int)).numpy()[:, 0]
    assert np.abs(alone - x.numpy() @ weight.numpy()[0]).max() < 1e-12


def test_the_best_experts_of_each_set_are_chosen_with_sigmoid_gates():
    choose, x = Chooser(D, E, K, sets=3, rng=0), Tensor(real(R, D), dtype=np.float32)
    index, gates, logits = choose(x)
    assert index.shape == gates.shape == (R, 3, K) and logits.shape == (R, 3, E)
    scores = x.numpy() @ choose.score.weight.numpy().T
    for row in range(R):
        for s in range(3):
            mine = scores[row, s * E : (s + 1) * E]
            best = sorted(range(E), key=lambda e, mine=mine: -mine[e])[:K]
            assert index[row, s].tolist() == best
            expected = 1 / (1 + np.exp(-mine[best]))
            assert np.abs(gates.numpy()[row, s] - expected).max() < 1e-6
    for top in (0, E + 1):
        with pytest.raises(ValueError, match=f"1 to {E} experts, got {top}"):
            Chooser(D, E, top)


def test_imbalance_is_least_when_uses_together_are_even():
    sure = lambda e: Tensor(np.where(np.arange(E) == e, 60.0, -60.0)[None, None])  # noqa: E731
    spread, narrow = Uses(0.5), Uses(0.5)
    spread.logits = [sure(e) for e in range(E)]
    narrow.logits = [sure(2)] * E
    assert abs(spread.imbalance().item() + 0.5 * np.log(E)) < 1e-6
    assert abs(narrow.imbalance().item()) < 1e-6
    assert np.isfinite(narrow.imbalance().item()) and F.exp(narrow.imbalance()).item() <= 1
