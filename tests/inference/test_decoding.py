"""Decoding with a cache says at every step what the whole text at once says."""

import numpy as np
import pytest

from minitx import Tensor, nn, no_grad
from minitx.autograd.fused.linear import naive_linear
from minitx.autograd.fused.panels import Panels
from minitx.backend.threads import small_products_are_fast
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.depth import Loop, Stack
from minitx.functional import attention, linear
from minitx.inference import generate
from minitx.models import Decoder, EncoderDecoder
from minitx.positions import ALiBi, Rotary
from minitx.token_mixers import Causal, Keys, KVCache, MultiHeadAttention, SoftCap, Window
from minitx.token_mixers.attention import mix

V, D, H, L, N = 31, 12, 3, 2, 40
LENGTHS = (7, 3, 5)  # of the prompts
STEPS = 13


def decoder(depth=Stack, **options):
    """A decoder whose attention takes ``options``."""

    def block(seed):
        attention = MultiHeadAttention(D, H, rng=seed, **{"mask": Causal(), **options})
        return Block(attention, MLP(D, rng=seed), norm=lambda: nn.LayerNorm(D))

    return Decoder(nn.Embedding(V, D, rng=0), depth(block), nn.LayerNorm(D), rng=0)


def stack(block):
    return Stack([block(i) for i in range(L)])


MODELS = {
    "gpt": lambda: Decoder.gpt(V, D, H, L, N, rng=0),
    "gpt, tied": lambda: Decoder.gpt(V, D, H, L, N, tied=True, rng=0),
    "llama, one key head": lambda: Decoder.llama(V, D, H, L, num_kv_heads=1, rng=0),
    "llama": lambda: Decoder.llama(V, D, H, L, rng=0),
    "window": lambda: decoder(stack, position=Rotary(D // H), mask=Causal() & Window(4)),
    "wide": lambda: Decoder.llama(V, 384, 6, L, num_kv_heads=2, rng=0),  # weights in panels
    "alibi": lambda: decoder(stack, position=ALiBi(H)),
    "soft cap": lambda: decoder(stack, position=Rotary(D // H), hooks=[SoftCap(2.0)]),
    "loop": lambda: decoder(lambda block: Loop(block(0), 3), position=Rotary(D // H)),
}


def lively(model):
    """Weights so large that what happens is seen, at any width."""
    rng = np.random.default_rng(9)
    for p in model.parameters():
        p.assign(p.shape[-1] ** -0.5 * rng.normal(size=p.shape) + (p.numpy() == 1))
    return model


def close(a, b, tolerance=1e-5):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


def prompts():
    """Rows of different lengths, padded on the left: (ids, valid)."""
    valid = np.arange(max(LENGTHS)) >= max(LENGTHS) - np.array(LENGTHS)[:, None]
    return np.random.default_rng(0).integers(0, V, valid.shape), valid


def check_every_step(step, state, uncached):
    """Feed the prompts, then a token at a time, and compare with each row's text on its own."""
    ids, valid = prompts()
    texts = [row[there] for row, there in zip(ids, valid, strict=True)]
    following = np.random.default_rng(1).integers(0, V, (STEPS, len(texts), 1))
    with no_grad():
        logits, state = step(ids, state, valid=valid)
        for fresh in following:
            for row, text in enumerate(texts):
                close(logits.numpy()[row, -1], uncached(row, text[None]).numpy()[0, -1])
            logits, state = step(fresh, state)
            texts = [np.concatenate([text, new]) for text, new in zip(texts, fresh, strict=True)]
    return state


@pytest.mark.parametrize("name", MODELS)
def test_every_step_of_a_decoder_equals_the_whole_text_at_once(name):
    model = lively(MODELS[name]())
    state = model.init_state(len(LENGTHS))
    state = check_every_step(model.step, state, lambda _, text: model(text))
    assert (len(state.panels) > 0) == (name == "wide")


def test_every_step_of_an_encoder_decoder_equals_the_whole_text_at_once():
    model = lively(EncoderDecoder.base(V, D, H, L, rng=0))
    source = np.random.default_rng(2).integers(0, V, (len(LENGTHS), 8))
    lengths = (8, 2, 6)
    there = np.arange(8) < np.array(lengths)[:, None]
    with no_grad():
        state = model.init_state(source, there)
    check_every_step(
        model.step, state, lambda row, text: model(source[row : row + 1, : lengths[row]], text)
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_step_that_is_recorded_says_the_same(name):
    model, (ids, valid) = lively(MODELS[name]()), prompts()
    with no_grad():
        _, state = model.step(ids, model.init_state(len(ids)), valid=valid)
        expected, _ = model.step(ids[:, :1], state)
    found, _ = model.step(ids[:, :1], state)
    assert found.requires_grad and not expected.requires_grad
    close(found, expected)


def test_generation_is_the_most_likely_token_of_the_text_so_far():
    model, (ids, valid) = lively(MODELS["llama, one key head"]()), prompts()
    found = generate(model, ids, STEPS, valid=valid)
    for row, length in zip(range(len(ids)), LENGTHS, strict=True):
        text = np.concatenate([ids[row, -length:], found[row]])
        best = model(text[None]).numpy()[0].argmax(-1)
        assert np.array_equal(best[length - 1 : -1], found[row])


# ------------------------------------------------------------------------- what makes it fast


@pytest.mark.parametrize("rows", [1, 2, 5, 16, 32, 33])
@pytest.mark.parametrize("shape", [(7, 3), (384, 391), (1031, 258), (1152, 384)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_linear_of_few_rows_equals_its_naive_twin(rows, shape, order):
    rng = np.random.default_rng(rows)
    x, bias = Tensor(rng.normal(size=(1, rows, shape[1]))), Tensor(rng.normal(size=shape[0]))
    weight = Tensor(np.asarray(rng.normal(size=shape), np.float32, order=order))
    close(linear(x, weight, bias), naive_linear(x, weight, bias))
    close(linear(x, weight), naive_linear(x, weight))
    assert linear(x, weight).data.flags.c_contiguous


@pytest.mark.parametrize("rows", [2, 5, 16, 63])
@pytest.mark.parametrize("shape", [(384, 391), (1031, 258), (352, 384), (20, 7000)])
def test_linear_by_panels_equals_its_naive_twin(rows, shape):
    rng = np.random.default_rng(rows)
    x, bias = Tensor(rng.normal(size=(1, rows, shape[1]))), Tensor(rng.normal(size=shape[0]))
    weight, panels = Tensor(rng.normal(size=shape)), Panels()
    with no_grad(), panels.in_use():
        found = [linear(x, weight, bias) for _ in range(3)]
    for y in found:
        close(y, naive_linear(x, weight, bias))
        assert y.data.flags.c_contiguous
    made = len(panels) > 0
    assert made == (shape[1] < 3000 and (rows <= 32 or small_products_are_fast()))


def test_panels_are_made_when_a_weight_is_met_again_and_follow_its_changes():
    x, weight, panels = Tensor(np.ones((3, 400))), nn.Parameter(np.ones((330, 400))), Panels()

    def met():
        with no_grad(), panels.in_use():
            return linear(x, weight).numpy()[2, 329], len(panels)

    assert [met(), met(), met()] == [(400, 0), (400, 1), (400, 1)]
    weight.assign(2 * weight.numpy())
    assert [met(), met()] == [(800, 1), (800, 2)]  # another array; the old one is let go with them
    weight.data *= 2
    weight.changed()
    assert [met(), met()] == [(1600, 1), (1600, 2)]


def test_what_is_recorded_knows_no_panels():
    x, weight, panels = Tensor(np.ones((3, 400))), nn.Parameter(np.ones((330, 400))), Panels()
    with panels.in_use():
        for _ in range(3):
            assert linear(x, weight).requires_grad
    assert len(panels) == 0


def test_copies_of_a_state_share_their_panels_and_other_states_have_their_own():
    model, state = MODELS["gpt"](), MODELS["gpt"]().init_state(3)
    _, after = model.step(np.ones((3, 1), int), state)
    assert after.panels is state.panels and after.take([0, 0]).panels is state.panels
    assert model.init_state(3).panels is not state.panels


def test_linear_of_one_complex_row_conjugates_nothing():
    rng = np.random.default_rng(4)
    x, weight = (
        Tensor(rng.normal(size=shape) + 1j * rng.normal(size=shape), dtype=np.complex64)
        for shape in ((1, 391), (384, 391))
    )
    close(linear(x, weight), naive_linear(x, weight))


@pytest.mark.parametrize("masked", [False, True])
def test_mixing_without_blocks_equals_attention(masked):
    rng = np.random.default_rng(3)
    q, k, v = (rng.normal(size=(2, 3, n, 5)).astype(np.float32) for n in (4, 11, 11))
    allowed = rng.random((2, 1, 4, 11)) < 0.6
    allowed[1, 0, 2] = False  # a query that may hear nothing gets zeros
    allowed = allowed if masked else None
    close(mix(q, k, v, allowed), attention(Tensor(q), Tensor(k), Tensor(v), mask=allowed))
    assert not masked or not mix(q, k, v, allowed)[1, :, 2].any()
    assert np.isfinite(mix(1e4 * q, k, v, allowed)).all()


def test_a_cache_holds_places_between_whole_numbers_and_of_single_rows():
    def keys(places):
        x = Tensor(np.zeros((2, 1, places.shape[1], 3)))
        return Keys(x, x, places)

    parts = [
        np.arange(4)[None, :, None],  # all rows alike, whole numbers
        np.array([[[4.5]], [[9.25]]]),
        np.array([[[6]]]),
    ]
    cache = KVCache()
    for part in parts:
        cache = cache.append(keys(part))
    whole = np.concatenate([np.broadcast_to(x, (2, *x.shape[1:])) for x in parts], axis=1)
    assert np.array_equal(cache.keys.coords, whole)
