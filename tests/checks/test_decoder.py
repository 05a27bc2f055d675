"""The oracles that judge readers of the decoder's page say the same as the package."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.checks.decoder.by_hand import P, Q
from minitx.checks.decoder.loss import bits
from minitx.checks.decoder.order import HISTORY, RULES, difference
from minitx.checks.decoder.step import attend
from minitx.checks.decoder.top_p import nucleus
from minitx.inference import TopP
from minitx.inference.sampling import probabilities


def test_the_loop_over_keys_is_the_package_s_attention():
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(1, 5)), rng.normal(size=(7, 5)), rng.normal(size=(7, 3))
    tensors = [Tensor(x[None, None], dtype=np.float64) for x in (q, k, v)]
    want = F.attention(*tensors).numpy()[0, 0, 0]
    np.testing.assert_allclose(attend(q[0], list(k), list(v)), want, rtol=0, atol=1e-12)


def test_the_costs_are_the_package_s_cross_entropy():
    rng = np.random.default_rng(1)
    logits, answers = rng.normal(size=(11, 7)), rng.integers(0, 7, 11)
    want = F.cross_entropy(Tensor(logits, dtype=np.float64), answers).item() / np.log(2)
    assert abs(np.mean(bits(logits, answers)) - want) < 1e-12


@pytest.mark.parametrize("reach", [0.05, 0.5, 0.83, 1.0])
def test_top_p_is_the_package_s(reach):
    p = np.random.default_rng(2).dirichlet(np.ones(13))
    want = probabilities(TopP(reach)(np.log(p)[None], HISTORY))[0]
    np.testing.assert_allclose(nucleus(p, reach), want, rtol=0, atol=1e-12)


def test_a_kept_guess_or_what_was_missing_has_the_law_of_the_target():
    kept, missing = np.minimum(P, Q), np.maximum(P - Q, 0)
    np.testing.assert_allclose(kept + (1 - kept.sum()) * missing / missing.sum(), P, atol=1e-15)


def test_which_rules_change_places_with_the_temperature():
    logits = np.random.default_rng(3).permutation(np.linspace(-1.0, 1.0, 9))[None]
    changed = {name: difference(rule, 2 * logits) > 1e-3 for name, rule in RULES.items()}
    assert list(changed.values()) == [False, True, True, False]
