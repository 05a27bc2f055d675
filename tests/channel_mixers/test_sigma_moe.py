"""sigma-MoE: equal to a loop over all experts, to a dense perceptron in the limit; its losses."""

import numpy as np

from minitx import Tensor
from minitx.channel_mixers import SigmaMoE
from minitx.context import Context

B, T, D, G, E, K = 2, 5, 6, 3, 7, 3


def draw(seed=0):
    return np.random.default_rng(seed).normal(size=(B, T, D))


def by_loop(moe, x, normed):
    """All experts for all tokens, one by one, and only those counted that are among the best."""
    scores = 1 / (1 + np.exp(-normed @ moe.choose.score.weight.numpy().T))
    least = np.sort(scores, axis=-1)[..., -K, None]
    y = np.zeros_like(x)
    for e in range(E):
        hidden = np.maximum(x @ moe.up.weight.numpy()[e], 0)
        gate = np.where(scores >= least, scores, 0)[..., e, None]
        y += gate * (hidden @ moe.down.weight.numpy()[e])
    return y


def test_it_is_the_loop_over_experts():
    moe, x = SigmaMoE(D, G, E, K, rng=0), draw()
    assert np.abs(moe(Tensor(x)).numpy() - by_loop(moe, x, x)).max() < 1e-6


def test_the_choice_is_by_what_the_context_has_normed():
    moe, x, other = SigmaMoE(D, G, E, K, rng=0), draw(), draw(1)
    ctx = Context.of(Tensor(x))
    ctx.shared["normed"] = Tensor(other)
    found = moe(Tensor(x), ctx).numpy()
    assert np.abs(found - by_loop(moe, x, other)).max() < 1e-6
    assert np.abs(found - by_loop(moe, x, x)).max() > 1e-2


def test_it_leaves_what_it_chose_from_once_for_each_use():
    moe, x = SigmaMoE(D, G, E, K, balance=0.25, rng=0), Tensor(draw())
    ctx = Context.of(x)
    for _ in range(3):
        moe(x, ctx)
    (uses,) = ctx.shared["choices"].values()
    assert uses.weight == 0.25
    assert [logits.shape for logits in uses.logits] == [(B, T, 1, E)] * 3
