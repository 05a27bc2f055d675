"""SwitchHead: equal to a loop over heads and experts; what the norm is for."""

import numpy as np

from minitx import Tensor
from minitx.context import Context
from minitx.token_mixers import Causal, SwitchHead

B, T, D, H, d, E, K = 2, 5, 6, 3, 4, 5, 2


def gates(choose, x):
    """(B, T, H, E): the scores of the experts that are taken, 0 for the others."""
    scores = 1 / (1 + np.exp(-x @ choose.score.weight.numpy().T))
    scores = scores.reshape(B, T, H, E)
    return np.where(scores >= np.sort(scores, axis=-1)[..., -K, None], scores, 0)


def by_loop(mixer, x, normed):
    qk = (normed @ mixer.qk.weight.numpy().T).reshape(B, T, 2, H, d)
    value_gates = gates(mixer.choose_values, normed)
    output_gates = gates(mixer.choose_outputs, normed)
    y, allowed = np.zeros_like(x), np.tril(np.ones((T, T), bool))
    for h in range(H):
        scores = qk[:, :, 0, h] @ qk[:, :, 1, h].swapaxes(1, 2) / np.sqrt(d)
        weights = np.exp(np.where(allowed, scores, -np.inf))
        weights /= weights.sum(-1, keepdims=True)
        v = np.zeros((B, T, d))
        for e in range(E):
            v += value_gates[:, :, h, e, None] * (x @ mixer.values.weight.numpy()[h * E + e])
        for e in range(E):
            out = (weights @ v) @ mixer.outputs.weight.numpy()[h * E + e]
            y += output_gates[:, :, h, e, None] * out
    return y


def draw(seed=0):
    return np.random.default_rng(seed).normal(size=(B, T, D))


def test_it_is_the_loop_over_heads_and_experts():
    mixer, x, other = SwitchHead(D, H, E, K, d, mask=Causal(), rng=0), draw(), draw(1)
    assert np.abs(mixer(Tensor(x)).numpy() - by_loop(mixer, x, x)).max() < 1e-6
    ctx = Context.of(Tensor(x))
    ctx.shared["normed"] = Tensor(other)
    found = mixer(Tensor(x), ctx).numpy()
    assert np.abs(found - by_loop(mixer, x, other)).max() < 1e-6


def test_values_and_outputs_leave_their_choices():
    mixer, x = SwitchHead(D, H, E, K, d, balance=0.5, rng=0), Tensor(draw())
    ctx = Context.of(x)
    mixer(x, ctx)
    uses = list(ctx.shared["choices"].values())
    assert [use.weight for use in uses] == [0.5, 0.5]
    assert [use.logits[0].shape for use in uses] == [(B, T, H, E)] * 2
