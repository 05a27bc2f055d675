"""Equal tokens through attention: the closed form, and the experiment's pieces."""

import numpy as np

from minitx import Tensor
from minitx.experiments.positions.urpe import (
    RELATIVE,
    H,
    N,
    accuracy,
    apart,
    equal_tokens,
    shaken,
    stack,
    with_factor,
    without,
)


def attention(hooks, seed=0):
    model = shaken(stack(1, hooks, np.random.default_rng(seed)), seed)
    return model.blocks[0].sublayers[0]


def test_on_equal_tokens_attention_gives_the_value_times_the_sum_of_a_row():
    mixer = attention(with_factor(RELATIVE["T5 bias"]))
    token = equal_tokens(1, np.random.default_rng(1))
    x = Tensor(token, dtype=np.float64)
    weights, value = mixer.weights(x).numpy()[0], mixer.qkv(x).numpy()[0, 0, -len(token[0, 0]) :]
    rows = weights.sum(-1)  # (H, N): not 1
    mixed = (rows.T[:, :, None] * value.reshape(H, -1)).reshape(N, -1)
    expected = mixer.out(Tensor(mixed, dtype=np.float64)).numpy()
    np.testing.assert_allclose(mixer(x).numpy()[0], expected, atol=1e-12)
    assert np.abs(rows - 1).max() > 0.1
    plain = attention(without(RELATIVE["T5 bias"])).weights(x).numpy()[0]
    np.testing.assert_allclose(plain.sum(-1), 1, atol=1e-12)


def test_the_factor_has_a_number_for_each_distance_and_head():
    model = stack(1, with_factor(RELATIVE["ALiBi"]), np.random.default_rng(0))
    (factors,) = [p for name, p in model.named_parameters() if name.endswith("factors")]
    assert factors.shape == (2 * N - 1, H)


def test_outputs_are_apart_with_the_factor_alone():
    for name in RELATIVE:
        plain = shaken(stack(2, without(RELATIVE[name]), np.random.default_rng(2)), 3)
        placed = shaken(stack(2, with_factor(RELATIVE[name]), np.random.default_rng(2)), 3)
        assert apart(plain).max() < 1e-10, name
        assert len(np.unique(apart(placed).round(9))) == N, name


def test_a_few_steps_without_the_factor_stay_at_chance():
    labels = np.arange(N) % 4
    assert accuracy(without(RELATIVE["ALiBi"]), labels, steps=3) == 0.25
