"""The contract of attention: who hears whom, and who does not."""

import numpy as np
import pytest

from minitx import Tensor, jacobian, nn, no_grad
from minitx.autograd.check import check_grads
from minitx.context import Context, Decoding, Source
from minitx.nn import functional_call, record
from minitx.positions import URPE, ALiBi, Rotary, Shaw, T5Bias, TransformerXL
from minitx.token_mixers import (
    Causal,
    CrossAttention,
    MultiHeadAttention,
    Prefix,
    QKNorm,
    SinkSoftmax,
    SoftCap,
    WeightDropout,
    Window,
)

B, T, D, H = 2, 7, 12, 4
d = 6


def attention(causal=True, kv=2, seed=0, **options):
    if causal:
        options.setdefault("mask", Causal())
    return MultiHeadAttention(D, H, kv, d, rng=seed, **options)


VARIANTS = {
    "plain": dict,
    "one key head": lambda: {"kv": 1},
    "as many key heads": lambda: {"kv": 4},
    "window": lambda: {"mask": Causal() & Window(3)},
    "rotary": lambda: {"position": Rotary(d)},
    "part rotary": lambda: {"position": Rotary(d, width=4)},
    "alibi": lambda: {"position": ALiBi(H)},
    "t5": lambda: {"position": T5Bias(H, 8, 11, causal=True, rng=1)},
    "shaw": lambda: {"position": Shaw(d, 3, rng=1)},
    "transformer-xl": lambda: {"position": TransformerXL(H, d, rng=1)},
    "urpe": lambda: {"hooks": [URPE(T, H)], "position": ALiBi(H)},
    "qk-norm": lambda: {"hooks": [QKNorm(lambda: nn.RMSNorm(d))], "position": Rotary(d)},
    "soft cap": lambda: {"hooks": [SoftCap(2.0)]},
    "sinks": lambda: {"normalise": SinkSoftmax(H)},
    "inner norm": lambda: {"inner_norm": nn.LayerNorm(H * d)},
    "no biases": lambda: {"bias": False},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def build(variant, **more):
    return attention(**VARIANTS[variant](), **more)


def tokens(seed=0, batch=B, length=T, dtype=None):
    return Tensor(np.random.default_rng(seed).normal(size=(batch, length, D)), dtype=dtype)


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


@every_variant
def test_shape_and_dtype_are_kept(variant):
    mixer = build(variant)
    for dtype in (np.float32, np.float64):
        y = mixer.to(dtype)(tokens(dtype=dtype))
        assert y.shape == (B, T, D) and y.dtype == dtype
    assert mixer(tokens(length=1, dtype=np.float64)).shape == (B, 1, D)


@every_variant
def test_nothing_comes_from_the_future(variant):
    mixer = build(variant).to(np.float64)
    x = tokens(batch=1, dtype=np.float64)
    slopes = np.abs(jacobian(mixer, x).numpy()[0, :, :, 0]).max(axis=(1, 3))  # (T out, T in)
    assert np.triu(slopes, 1).max() == 0
    reach = 3 if variant == "window" else T
    near = np.tril(np.ones((T, T)), 0) - np.tril(np.ones((T, T)), -reach)
    assert (slopes[near == 1] > 0).all()
    assert slopes[near == 0].max() == 0


@every_variant
def test_padding_never_leaks(variant):
    mixer, valid = build(variant), np.array([[True] * T, [False] * 2 + [True] * 4 + [False]])
    x, other = tokens(), tokens(1)
    filled = Tensor(np.where(valid[..., None], x.numpy(), other.numpy()))
    a, b = (mixer(z, Context.of(z, valid=valid)).numpy() for z in (x, filled))
    assert np.array_equal(a[valid], b[valid])
    coords = np.arange(T)[None, :, None] - np.array([0, 2])[:, None, None]
    a = mixer(x, Context(coords=coords, valid=valid)).numpy()
    alone = mixer(x[1:, 2:6])
    assert gap(a[1, 2:6], alone[0]) < 1e-5


@every_variant
def test_rows_of_a_batch_do_not_meet(variant):
    mixer, x = build(variant), tokens(batch=3)
    changed = x.numpy().copy()
    changed[1] += 1
    a, b = mixer(x).numpy(), mixer(Tensor(changed)).numpy()
    assert np.array_equal(a[[0, 2]], b[[0, 2]]) and gap(a[1], b[1]) > 1e-3


@every_variant
def test_step_by_step_is_all_at_once(variant):
    mixer, x = build(variant), tokens()
    valid = np.array([[True] * T, [False] * 2 + [True] * (T - 2)])
    coords = np.broadcast_to(np.arange(T)[None, :, None], (B, T, 1))
    expected = mixer(x, Context(coords=coords, valid=valid)).numpy()
    with no_grad():
        decoding, found = Decoding(B), []
        for start, stop in ((0, 2), (2, 3), (3, 4), (4, 6), (6, 7)):
            part = slice(start, stop)
            decoding.begin()
            ctx = Context(coords=coords[:, part], valid=valid[:, part], decoding=decoding)
            found.append(mixer(x[:, part], ctx).numpy())
    assert gap(np.concatenate(found, axis=1)[valid], expected[valid]) < 1e-5


@every_variant
def test_gradients(variant):
    mixer = build(variant).to(np.float64)
    x = tokens(length=3, dtype=np.float64)
    weights = {name: p.detach() for name, p in mixer.named_parameters()}
    check_grads(lambda x, w: functional_call(mixer, w, x), x, weights, order=1)


@every_variant
def test_in_the_open_it_is_the_same(variant):
    """Under record() the naive twins run: same values, same gradients."""
    mixer, x = build(variant), tokens()
    found = []
    for recorded in (False, True):
        mixer.zero_grad()
        if recorded:
            with record(mixer) as tape:
                y = mixer(x)
                y.sum().backward()
            assert gap(tape["weights"], mixer.weights(x)) < 1e-6
        else:
            y = mixer(x)
            y.sum().backward()
        found.append(
            [y.numpy(), *(p.grad.numpy() for p in mixer.parameters() if p.grad is not None)]
        )
    assert len(found[0]) == len(found[1])
    assert all(gap(a, b) < 1e-5 * max(1, np.abs(b).max()) for a, b in zip(*found, strict=True))


@every_variant
def test_huge_inputs_give_numbers(variant):
    mixer, x = build(variant), tokens()
    huge = Tensor(x.numpy() * 1e4, requires_grad=True)
    y = mixer(huge)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all() and np.isfinite(huge.grad.numpy()).all()


@pytest.mark.parametrize("variant", ["plain", "one key head", "soft cap", "inner norm"])
def test_without_mask_and_position_order_does_not_matter(variant):
    blind, seeing = attention(causal=False, **VARIANTS[variant]()), build(variant)
    x, order = tokens(), np.random.default_rng(2).permutation(T)
    assert gap(blind(x[:, order]), blind(x).numpy()[:, order]) < 1e-5
    assert gap(seeing(x[:, order]), seeing(x).numpy()[:, order]) > 1e-3


def test_it_is_attention_as_written_in_loops():
    mixer, x = attention().to(np.float64), tokens(dtype=np.float64)
    q, k, v = (z.numpy() for z in mixer.project(x, Context.of(x)))
    assert q.shape == (B, H, T, d) and k.shape == v.shape == (B, 2, T, d)
    rows = x.numpy() @ mixer.qkv.weight.numpy().T + mixer.qkv.bias.numpy()
    assert np.array_equal(q[1, 2, 3], rows[1, 3, 2 * d : 3 * d])
    assert np.array_equal(k[1, 1, 3], rows[1, 3, (H + 1) * d : (H + 2) * d])
    y, weights = np.zeros((B, T, H * d)), mixer.weights(x).numpy()
    for b in range(B):
        for h in range(H):
            for t in range(T):
                scores = np.array([q[b, h, t] @ k[b, h // 2, s] for s in range(t + 1)]) * d**-0.5
                w = np.exp(scores) / np.exp(scores).sum()
                assert gap(weights[b, h, t, : t + 1], w) < 1e-12
                y[b, t, h * d : (h + 1) * d] = w @ v[b, h // 2, : t + 1]
    expected = y @ mixer.out.weight.numpy().T + mixer.out.bias.numpy()
    assert gap(mixer(x), expected) < 1e-12


def test_a_row_that_may_hear_nothing_gives_the_bias():
    mixer, x = attention(causal=False), tokens()
    mask = np.ones((B, T, T), bool)
    mask[1, 3] = False
    x.requires_grad = True
    y = mixer(x, Context.of(x, mask=mask))
    assert np.array_equal(y.numpy()[1, 3], mixer.out.bias.numpy())
    y.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    valid = np.array([[True] * T, [False] * T])
    y = mixer(x, Context.of(x, valid=valid)).numpy()
    assert np.array_equal(y[1], np.broadcast_to(mixer.out.bias.numpy(), (T, D)))


def test_weights_on_request():
    mixer, x = attention(), tokens()
    weights = mixer.weights(x).numpy()
    assert weights.shape == (B, H, T, T)
    assert gap(weights.sum(-1), 1) < 1e-6 and np.triu(weights[0, 0], 1).max() == 0
    sinks = attention(normalise=SinkSoftmax(H)).weights(x).numpy().sum(-1)
    assert (sinks < 1).all() and (sinks > 0).all()


def test_one_token_of_grouped_heads_under_a_mask_for_each_head():
    mixer, x = attention(causal=False), tokens(length=1)
    source = tokens(3, length=5)
    cross = CrossAttention(D, H, 2, d, rng=0)
    mask = np.random.default_rng(5).random((B, H, 1, 5)) < 0.6
    wide = Tensor(np.concatenate([x.numpy(), tokens(4, length=1).numpy()], axis=1))
    both = np.concatenate([mask, mask], axis=2)
    one = cross(x, Context.of(x, source=Source(source, mask=mask)))
    two = cross(wide, Context.of(wide, source=Source(source, mask=both)))
    assert gap(one[:, 0], two[:, 0]) < 1e-6
    with record(mixer) as tape:
        mixer(x)
    assert tape["weights"].shape == (B, H, 1, 1)


def test_a_mask_of_the_context_joins_the_mixers_own():
    x = tokens()
    both = attention(mask=Causal() & Window(3))(x)
    joined = attention()(x, Context.of(x, mask=Window(3)))
    assert np.array_equal(both.numpy(), joined.numpy())


def test_soft_capped_scores_stay_below_the_cap():
    mixer, x = attention(hooks=[SoftCap(2.0)]), Tensor(tokens().numpy() * 100)
    with record(mixer) as tape:
        mixer(x)
    scores = tape["scores"].numpy()
    scores = scores[np.isfinite(scores)]
    assert np.abs(scores).max() <= 2 and np.abs(scores).max() > 1.9


def test_qk_norm_makes_scores_blind_to_the_size_of_inputs():
    mixer = attention(hooks=[QKNorm(lambda: nn.RMSNorm(d, eps=0.0))], bias=False)
    x = tokens()
    assert gap(mixer.weights(x), mixer.weights(x * 37)) < 1e-5
    assert gap(attention(bias=False).weights(x), attention(bias=False).weights(x * 37)) > 0.1


def test_q_and_k_have_a_norm_each():
    mixer, x = attention(hooks=[QKNorm(lambda: nn.RMSNorm(d, eps=0.0))], kv=4), tokens()
    before = mixer.weights(x).numpy()
    mixer.hooks[0].norm_k.weight.assign(np.full(d, 2.0))
    twice = before**2 / (before**2).sum(-1, keepdims=True)  # the softmax of twice the scores
    assert gap(mixer.weights(x), twice) < 1e-5


def test_an_inner_norm_is_of_the_joined_heads():
    norm = nn.LayerNorm(H * d)
    plain, normed = attention(), attention(inner_norm=norm)
    plain.out, x = lambda y: y, tokens()
    assert gap(normed(x), normed.out(norm(plain(x)))) < 1e-6
    assert gap(normed(x), attention()(x)) > 1e-2


def test_dropout_on_weights_is_for_training():
    mixer, x = attention(hooks=[WeightDropout(0.5, rng=3)]), tokens()
    a, b = mixer(x).numpy(), mixer(x).numpy()
    assert gap(a, b) > 1e-3
    assert np.array_equal(mixer.eval()(x).numpy(), attention()(x).numpy())


def test_cross_attention_hears_the_source_alone():
    rng, x = np.random.default_rng(4), tokens()
    source = Tensor(rng.normal(size=(B, 5, 8)))
    valid = np.array([[True] * 5, [True] * 3 + [False] * 2])
    mixer = CrossAttention(D, H, 2, d, d_source=8, rng=0)
    ctx = Context.of(x, source=Source(source, valid=valid))
    y, weights = mixer(x, ctx), mixer.weights(x, ctx).numpy()
    assert y.shape == (B, T, D) and weights.shape == (B, H, T, 5)
    assert weights[1, ..., 3:].max() == 0 and gap(weights.sum(-1), 1) < 1e-6
    changed = x.numpy().copy()
    changed[:, 4] += 1
    other = mixer(Tensor(changed), ctx).numpy()
    assert np.array_equal(np.delete(y.numpy(), 4, 1), np.delete(other, 4, 1))
    only = np.zeros((T, 5), bool)
    only[:, 2] = True
    one = mixer.weights(x, Context.of(x, source=Source(source, mask=only))).numpy()
    assert np.array_equal(one[..., 2], np.ones((B, H, T)))


def test_cross_attention_projects_its_source_once():
    x, source = tokens(), tokens(5, length=5)
    mixer = CrossAttention(D, H, d_head=d, position=Rotary(d), rng=0)
    coords = np.arange(5)[None, :, None]
    full = mixer(x, Context.of(x, source=Source(source, coords))).numpy()
    decoding, found = Decoding(B), []
    with no_grad():
        for t in range(T):
            decoding.begin()
            # after the first step the source is known, so what is said of it now is not heard
            tokens_now = source if t == 0 else Tensor(np.full(source.shape, np.nan))
            where = np.array([[[t]]])
            ctx = Context(where, decoding=decoding, source=Source(tokens_now, coords))
            found.append(mixer(x[:, t : t + 1], ctx).numpy())
    assert gap(np.concatenate(found, 1), full) < 1e-6


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="divide d_model 12, got 5"):
        MultiHeadAttention(12, 5)
    with pytest.raises(ValueError, match="got 3 and 4"):
        MultiHeadAttention(12, 4, 3)
    with pytest.raises(ValueError, match="with a source, got none"):
        CrossAttention(12, 4)(tokens())
    with pytest.raises(ValueError, match="Rotary needs coordinates"):
        attention(position=Rotary(d))(tokens(), Context())
    with pytest.raises(TypeError, match="step by step only if its mask is causal"):
        attention(causal=False).init_state(2)
    with pytest.raises(ValueError, match=r"mask that broadcasts to \(2, 4, 7, 7\)"):
        attention()(tokens(), Context.of(tokens(), mask=np.ones((3, 3), bool)))
    assert attention(mask=Prefix(3)).init_state(2) is not None


def test_same_seed_same_bits():
    x = tokens()
    assert np.array_equal(attention(seed=3)(x).numpy(), attention(seed=3)(x).numpy())
    assert gap(attention(seed=3)(x), attention(seed=4)(x)) > 1e-3
