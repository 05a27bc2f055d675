"""DeltaNet: against a loop over tokens, step by step, and what its memory can do."""

import numpy as np
import pytest

from minitx import Tensor, no_grad
from minitx.context import Context
from minitx.token_mixers import Causal, DeltaNet, ShortConvolution, Window, continued_delta_rule

B, T, D, H = 2, 11, 12, 3
d = 4


def tokens(length=T, batch=B, seed=0):
    values = np.random.default_rng(seed).standard_normal((batch, length, D))
    return Tensor(values, dtype=np.float64)


def silu(x):
    return x / (1 + np.exp(-x))


def by_loop(mixer, x):
    """The whole mixer, one row, one token and one head at a time."""
    weights = {name: w.numpy() for name, w in mixer.named_parameters()}
    taps, y = weights["convolution.conv.weight"][:, 0], np.zeros((B, x.shape[1], H * d))
    for b, row in enumerate(x):
        rows = np.concatenate([np.zeros((3, 3 * H * d)), row @ weights["qkv.weight"].T])
        memory = np.zeros((H, d, d))
        for t in range(len(row)):
            said = silu(sum(taps[:, i] * rows[t + i] for i in range(4))).reshape(3, H, d)
            beta = 1 / (1 + np.exp(-(row[t] @ weights["beta.weight"].T + weights["beta.bias"])))
            for h in range(H):
                q, k, v = said[:, h]
                q, k = (z / np.sqrt((z**2).sum() + 1e-6) for z in (q, k))
                memory[h] += np.outer(k, beta[h] * (v - k @ memory[h]))
                read = q @ memory[h]
                read = read / np.sqrt((read**2).mean() + 1e-6) * weights["norm.weight"]
                y[b, t, h * d : (h + 1) * d] = read
    return y @ weights["out.weight"].T


def test_it_is_the_loop_over_tokens():
    mixer = DeltaNet(D, H, rng=0).to(np.float64)
    x = tokens()
    np.testing.assert_allclose(mixer(x).numpy(), by_loop(mixer, x.numpy()), atol=1e-11)


def test_short_convolution_hears_three_tokens_back_and_none_ahead():
    convolution = ShortConvolution(D, rng=0).to(np.float64)
    x = tokens().numpy()
    before = convolution(Tensor(x, dtype=np.float64)).numpy()
    x[:, 5] += 1
    moved = np.abs(convolution(Tensor(x, dtype=np.float64)).numpy() - before).max((0, 2)) > 0
    assert np.flatnonzero(moved).tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize("chunks", [[1] * 50, [13, 1, 36], [50], [2, 48]])
def test_from_its_state_it_goes_on_as_if_never_stopped(chunks):
    mixer, x = DeltaNet(D, H, rng=0).to(np.float64), tokens(50)
    ctx, state, start, parts = Context.of(x), mixer.init_state(B), 0, []
    for size in chunks:
        y, state = mixer.step(x[:, start : start + size], state, ctx)
        parts.append(y.numpy())
        start += size
    np.testing.assert_allclose(np.concatenate(parts, 1), mixer(x).numpy(), atol=1e-10)


def test_the_state_does_not_grow():
    mixer, x = DeltaNet(D, H, rng=0), Tensor(tokens(1).numpy())
    state, sizes = mixer.init_state(B), set()
    with no_grad():
        for _ in range(20):
            _, state = mixer.step(x, state, Context.of(x))
            sizes.add(tuple(part.shape for part in state))
    assert sizes == {((B, H, d, d), (B, 3, 3 * H * d))}


def test_a_state_is_written_and_read_as_tokens_exactly():
    rng = np.random.default_rng(3)
    state = Tensor(rng.standard_normal((B, H, 5, d)), dtype=np.float64)
    q, k, v = (Tensor(np.zeros((B, H, 2, n)), dtype=np.float64) for n in (5, 5, d))
    _, after = continued_delta_rule(state, q, k, v, q[..., 0])
    np.testing.assert_array_equal(after.numpy(), state.numpy())


def test_a_state_of_another_batch_and_another_mask_are_named():
    mixer, x = DeltaNet(D, H, rng=0), Tensor(tokens().numpy())
    with pytest.raises(ValueError, match=r"state of batch 2, as x .* got a state of batch 5"):
        mixer.step(x, mixer.init_state(5), Context.of(x))
    with pytest.raises(ValueError, match=r"expected the mask Causal\(\) or none, got Window"):
        mixer(x, Context.of(x, mask=Window(3)))
    np.testing.assert_array_equal(mixer(x, Context.of(x, mask=Causal())).numpy(), mixer(x).numpy())
    with pytest.raises(ValueError, match="5"):
        DeltaNet(D, 5)
