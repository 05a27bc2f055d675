"""Sampling, generation, beam search and speculative decoding against what they must equal."""

import itertools

import numpy as np
import pytest

from minitx.inference import (
    Greedy,
    MinP,
    RepetitionPenalty,
    Sampler,
    Temperature,
    TopK,
    TopP,
    beam_search,
    generate,
    speculate,
    stream,
)
from minitx.inference.beam import log_probabilities
from minitx.inference.sampling import draw
from minitx.models import Decoder

V = 5


def gpt(seed, vocabulary=V, **options):
    model = Decoder.gpt(vocabulary, 16, 2, 2, 32, rng=seed, **options)
    rng = np.random.default_rng(seed + 100)
    for parameter in model.parameters():  # far from uniform, so that sampling has something to say
        parameter.assign(parameter.data + 0.3 * rng.standard_normal(parameter.shape))
    return model.eval()


NONE = np.zeros((1, 0), int)


def shape(rule, p):
    logits = np.log(np.array([p]))
    found = np.exp(rule(logits, NONE))
    return found[0] / found.sum()


def test_rules_keep_what_they_say_and_nothing_else():
    p = [0.5, 0.25, 0.125, 0.1, 0.025]
    assert np.allclose(shape(TopK(2), p), [2 / 3, 1 / 3, 0, 0, 0])
    assert np.allclose(shape(TopK(9), p), p)
    assert np.allclose(shape(TopP(0.7), p), [2 / 3, 1 / 3, 0, 0, 0])
    assert np.allclose(shape(TopP(0.5), p), [1, 0, 0, 0, 0])
    assert np.allclose(shape(TopP(1.0), p), p)
    assert np.allclose(shape(MinP(0.24), p), np.array([0.5, 0.25, 0.125, 0, 0]) / 0.875)
    assert np.allclose(shape(Temperature(0.5), p), np.square(p) / np.square(p).sum())


def test_top_p_does_not_depend_on_the_order_of_tokens():
    p = np.array([0.1, 0.5, 0.025, 0.25, 0.125])
    assert np.allclose(shape(TopP(0.7), p), [0, 2 / 3, 0, 1 / 3, 0])


def test_repetition_penalty_makes_what_occurred_less_likely_only():
    logits, history = np.array([[2.0, -2.0, 1.0]]), np.array([[0, 1]])
    assert np.allclose(RepetitionPenalty(2.0)(logits, history), [[1.0, -4.0, 1.0]])
    assert np.allclose(RepetitionPenalty(2.0)(logits, NONE), logits)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Temperature(0.0), "above 0, got 0.0"),
        (lambda: TopK(0), "at least 1, got 0"),
        (lambda: TopP(1.5), "at most 1, got 1.5"),
        (lambda: MinP(-1), "from 0 to 1, got -1"),
        (lambda: RepetitionPenalty(0), "above 0"),
    ],
)
def test_rules_refuse_what_makes_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_draw_follows_the_distribution():
    p = np.array([0.5, 0.3, 0.0, 0.2])
    counts = np.bincount(draw(np.tile(p, (20000, 1)), np.random.default_rng(0)), minlength=4)
    assert counts[2] == 0
    assert chi_square(counts, p) < 20  # 2 degrees of freedom: 1 in 20,000


def chi_square(counts, p):
    expected = p * counts.sum()
    kept = expected > 0
    assert counts[~kept].sum() == 0
    return (np.square(counts - expected)[kept] / expected[kept]).sum()


def test_logits_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        Greedy()(np.array([[0.0, np.nan]]), NONE)


def test_a_stream_equals_running_the_whole_text_again_at_every_step():
    model, prompt = gpt(0), np.array([[1, 2, 3], [4, 0, 1]])
    text = prompt
    for chosen in stream(model, prompt, 6):
        assert (chosen == model(text).numpy()[:, -1].argmax(-1)).all()
        text = np.concatenate([text, chosen[:, None]], 1)
    assert text.shape == (2, 9)


def test_left_padded_rows_give_what_they_give_alone():
    model = gpt(1)
    prompts = [[3], [1, 2, 4], [0, 1, 2, 3, 4]]
    padded = np.array([[0] * (5 - len(p)) + p for p in prompts])
    valid = np.array([[False] * (5 - len(p)) + [True] * len(p) for p in prompts])
    together = generate(model, padded, 7, valid=valid)
    for prompt, row in zip(prompts, together, strict=True):
        assert (generate(model, np.array([prompt]), 7)[0] == row).all()


@pytest.mark.parametrize("context", [None, 9])
def test_rows_in_parts_are_the_rows_together(context):
    model, rng = gpt(9), np.random.default_rng(0)
    valid = np.arange(6) >= np.array([[0], [2], [5], [0], [1]])
    prompt = rng.integers(0, V, valid.shape)
    together = dict(valid=valid, stop=2, context=context)
    found = [
        generate(model, prompt, 20, Sampler(RepetitionPenalty(1.1), rng=1), parts=n, **together)
        for n in (1, 2, 3, 8)
    ]
    assert found[0].shape[0] == 5 and (found[0] == 2).any()
    assert all(np.array_equal(one, found[0]) for one in found)
    with pytest.raises(ValueError, match="parts of 1 or more, got 0"):
        generate(model, prompt, 1, parts=0)


def test_generation_goes_on_when_the_context_is_full():
    found = generate(gpt(2), np.array([[1, 2]]), 60, context=32)
    assert found.shape == (1, 60)


def test_rows_that_stopped_stay_stopped():
    model = gpt(3)
    free = generate(model, np.array([[1], [2], [3]]), 12)
    stop = int(free[0, 2])
    found = generate(model, np.array([[1], [2], [3]]), 12, stop=stop)
    for mine, other in zip(found, free, strict=True):
        ends = np.flatnonzero(other == stop)
        n = ends[0] + 1 if len(ends) else 12
        n = min(n, found.shape[1])
        assert (mine[:n] == other[:n]).all() and (mine[n:] == stop).all()


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        (np.zeros((1, 0), int), {}, "at least one token"),
        (np.array([1, 2]), {}, "got shape"),
        (np.array([[1, 2]]), dict(valid=np.array([[False, False]])), "padding only"),
        (np.array([[1, 2]]), dict(valid=np.array([[True]])), "expected valid"),
        (np.array([[1, 2, 3]]), dict(context=2), "longer than the context of 2"),
    ],
)
def test_prompts_that_cannot_be_continued_are_refused(prompt, options, message):
    with pytest.raises(ValueError, match=message):
        generate(gpt(0), prompt, 3, **options)


def test_ids_outside_the_vocabulary_are_refused():
    with pytest.raises((ValueError, IndexError), match="4"):
        generate(gpt(0), np.array([[7]]), 3)


def all_continuations(model, prompt, length):
    """(continuation, log probability) of every text of ``length`` tokens, best first."""
    found = []
    for tail in itertools.product(range(V), repeat=length):
        text = np.array([[*prompt, *tail]])
        log_p = log_probabilities(model(text).data[0])
        total = sum(log_p[len(prompt) - 1 + i, token] for i, token in enumerate(tail))
        found.append((list(tail), total))
    return sorted(found, key=lambda one: -one[1])


def test_a_wide_beam_is_exhaustive_search():
    model, prompt = gpt(4), [1, 3]
    every = all_continuations(model, prompt, 3)
    texts, scores = beam_search(model, prompt, 3, beams=V**3)
    assert len(texts) == V**3
    assert np.allclose(scores, [score for _, score in every], atol=1e-4)
    assert texts[0] == every[0][0]


def test_one_beam_is_greedy():
    model = gpt(5)
    texts, _ = beam_search(model, [2, 0], 6, beams=1)
    assert texts[0] == generate(model, np.array([[2, 0]]), 6)[0].tolist()


def test_beams_stop_at_the_stop_token_and_are_scored_there():
    model, prompt, stop = gpt(6), [1], 2
    texts, scores = beam_search(model, prompt, 3, beams=200, stop=stop)
    table = {}
    for n in (1, 2, 3):
        for text, score in all_continuations(model, prompt, n):
            if stop not in text[:-1] and (text[-1] == stop or n == 3):
                table[tuple(text)] = score
    assert {tuple(text) for text in texts} == set(table)
    assert np.allclose(scores, [table[tuple(text)] for text in texts], atol=1e-4)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("rules", [(), (TopK(3), RepetitionPenalty(1.5))])
def test_speculation_keeps_the_distribution(rules):
    """The next two tokens, 700 times over, against their exact probabilities."""
    target, draft, prompt = gpt(7), gpt(8), [1, 4]
    sampler = Sampler(*rules, rng=3)
    exact = exact_distribution(target, prompt, sampler, 2)
    counts = np.zeros(V**2)
    for _ in range(700):
        a, b = speculate(target, draft, prompt, 2, sampler, ahead=2)
        counts[a * V + b] += 1
    likely = exact * counts.sum() >= 5
    pooled = np.append(counts[likely], counts[~likely].sum())
    expected = np.append(exact[likely], exact[~likely].sum())
    assert len(pooled) <= 15
    assert chi_square(pooled, expected) < 45  # at most 14 degrees of freedom: 1 in 25,000


def exact_distribution(model, prompt, sampler, length):
    found = np.ones(1)
    texts = [list(prompt)]
    for _ in range(length):
        logits = model(np.array(texts)).data[:, -1]
        p = sampler.probabilities(logits, np.array(texts))
        found = (found[:, None] * p).reshape(-1)
        texts = [[*text, token] for text in texts for token in range(V)]
    return found


def test_the_draft_matters_to_the_check_of_speculation():
    """The same test sees a speculation that trusts its draft: the check can fail."""
    target, draft, prompt = gpt(7), gpt(8), [1, 4]
    sampler = Sampler(rng=3)
    exact, wrong = (exact_distribution(m, prompt, sampler, 2) for m in (target, draft))
    counts = np.random.default_rng(0).multinomial(700, wrong)
    assert chi_square(counts, np.maximum(exact, 1e-9) / exact.sum()) > 45


def test_greedy_speculation_is_greedy_decoding_and_takes_fewer_passes():
    target, prompt = gpt(9), [1, 2, 3]
    plain = generate(target, np.array([prompt]), 20)[0].tolist()
    assert list(speculate(target, gpt(10), prompt, 20, Greedy(), ahead=3)) == plain
    calls = []
    original = target.step
    target.step = lambda *args, **kwargs: calls.append(1) or original(*args, **kwargs)
    assert list(speculate(target, gpt(9), prompt, 20, Greedy(), ahead=4)) == plain
    assert len(calls) == 4  # five tokens a pass
