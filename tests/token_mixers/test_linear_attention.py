"""Linear attention and its relatives: against loops, against their limits, and step by step."""

import numpy as np
import pytest

from minitx import Tensor, nn, no_grad
from minitx import functional as F
from minitx.context import Context
from minitx.inference import generate
from minitx.models import Decoder
from minitx.nn import functional_call
from minitx.positions import ALiBi, Rotary
from minitx.token_mixers import (
    SUPRA,
    Blocks,
    Causal,
    DiagAttention,
    FixedDecay,
    GatedDecay,
    LearnedReLU,
    LinearAttention,
    MultiHeadAttention,
    NormAttention,
    Normed,
    Window,
    continued,
    elu_plus_one,
    linearised,
    split_heads,
)

B, T, D, H = 2, 11, 12, 3
d = 4


def tokens(length=T, batch=B, seed=0):
    values = np.random.default_rng(seed).standard_normal((batch, length, D))
    return Tensor(values, dtype=np.float64)


def make(cls=LinearAttention, **options):
    return cls(D, H, rng=0, **options).to(np.float64)


def projected(mixer, x):
    return [part.numpy() for part in split_heads(mixer.qkv(x), H, H, H)]


def test_elu_plus_one_is_positive_and_smooth_at_zero():
    x = np.array([-30.0, -1.0, 0.0, 2.0])
    found = elu_plus_one(Tensor(x, dtype=np.float64)).numpy()
    np.testing.assert_allclose(found, [np.exp(-30), np.exp(-1), 1, 3], rtol=1e-12)


def test_learned_relu_is_relu_at_first_and_a_map_for_each_head():
    phi = LearnedReLU(H, d)
    x = Tensor(np.random.default_rng(0).standard_normal((B, H, T, d)))
    np.testing.assert_array_equal(phi(x).numpy(), np.maximum(x.numpy(), 0))
    weight = np.random.default_rng(1).standard_normal((H, d, d))
    phi.weight.assign(weight)
    expected = np.maximum(np.einsum("hij,bhtj->bhti", weight, x.numpy()), 0)
    np.testing.assert_allclose(phi(x).numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mask", [None, Causal()])
def test_linear_attention_is_the_weighted_mean_of_the_paper(mask):
    mixer, x = make(mask=mask), tokens()
    q, k, v = projected(mixer, x)
    q, k = (np.where(z > 0, z + 1, np.exp(np.minimum(z, 0))) for z in (q, k))
    y = np.zeros(v.shape)
    for t in range(T):
        heard = slice(t + 1) if mask else slice(None)
        weights = (q[:, :, t, None] * k[:, :, heard]).sum(-1)  # (B, H, S)
        y[:, :, t] = (weights[..., None] * v[:, :, heard]).sum(2) / weights.sum(-1)[..., None]
    expected = mixer.out(Tensor(y.swapaxes(1, 2).reshape(B, T, D), dtype=np.float64)).numpy()
    np.testing.assert_allclose(mixer(x).numpy(), expected, atol=1e-6)  # eps in the denominator
    found = mixer.weights(x).numpy()
    np.testing.assert_allclose(found[:, :, T - 1], weights, rtol=1e-12)
    assert (found[..., 0, 1:] == 0).all() == bool(mask)


def test_decays_are_heard_as_powers():
    mixer, x = make(mask=Causal(), decay=FixedDecay(H)), tokens()
    plain = make(mask=Causal()).weights(x).numpy()
    distance = np.maximum(np.arange(T)[:, None] - np.arange(T), 0)
    gamma = 1 - 2.0 ** (-5 - np.arange(H))[:, None, None]
    np.testing.assert_allclose(mixer.weights(x).numpy(), plain * gamma**distance, rtol=1e-6)


def test_a_gate_keeps_between_nothing_and_all():
    gate = GatedDecay(D, H, temperature=2.0, rng=0)
    x = tokens().numpy()
    kept = np.exp(gate(Tensor(x)).numpy())
    z = x @ gate.gate.weight.numpy().T + gate.gate.bias.numpy()
    np.testing.assert_allclose(kept, (1 / (1 + np.exp(-z))).swapaxes(1, 2) ** 0.5, rtol=1e-5)
    assert np.isfinite(gate(Tensor(1e4 * x)).numpy()).all()


def test_padding_in_the_middle_takes_no_time():
    mixer, x = make(mask=Causal(), decay=FixedDecay(H)), tokens()
    there = np.arange(T) % 3 != 1
    ctx = Context.of(x, valid=np.tile(there, (B, 1)))
    np.testing.assert_allclose(
        mixer(x, ctx).numpy()[:, there], mixer(x[:, there]).numpy(), atol=1e-12
    )


def test_a_state_goes_on_where_a_sequence_was_left():
    rng = np.random.default_rng(2)
    q, k, v = (Tensor(rng.standard_normal((B, H, T, n)), dtype=float) for n in (5, 5, d))
    for decay in (None, np.log([[0.9], [0.5], [0.7]]), np.log(rng.uniform(0.3, 1, (B, H, T)))):
        a = None if decay is None else Tensor(decay, dtype=float)
        whole = F.linear_attention(q, k, v, a).numpy()
        state, parts = Tensor(np.zeros((B, H, 5, d)), dtype=float), []
        for start, stop in ((0, 4), (4, 5), (5, 6), (6, T)):
            here = a if a is None or a.ndim == 2 else a[:, :, start:stop]
            part = (x[:, :, start:stop] for x in (q, k, v))
            y, state = continued(state, *part, here)
            parts.append(y.numpy())
        np.testing.assert_allclose(np.concatenate(parts, axis=2), whole, atol=1e-12)


@pytest.mark.parametrize("made", [
    lambda: LinearAttention(D, H, mask=Causal(), rng=0),
    lambda: NormAttention(D, H, mask=Causal(), rng=0),
    lambda: SUPRA(D, H, position=Rotary(d), rng=0),
])  # fmt: skip
def test_the_state_never_grows(made):
    mixer, sizes = made(), set()
    with no_grad():
        state = mixer.init_state(B)
        for t in range(300):
            x = tokens(1, seed=t)
            ctx = Context(coords=np.full((1, 1, 1), t))
            y, state = mixer.step(Tensor(x.numpy()), state, ctx)
            sizes.add((state.shape, state.dtype))
    assert len(sizes) == 1 and np.isfinite(y.numpy()).all()
    width = d + 1 if type(mixer) is LinearAttention else d
    assert sizes.pop()[0] == (B, H, d, width)


def test_wrong_use_is_named():
    mixer, x = make(mask=Causal()), tokens()
    with pytest.raises(ValueError, match=r"state of batch 2.*got a state of batch 5"):
        mixer.step(x, mixer.init_state(5), Context.of(x))
    with pytest.raises(TypeError, match="only if its mask is causal"):
        make().init_state(2)
    with pytest.raises(ValueError, match=r"expected the mask Causal\(\) or none, got Window"):
        make(mask=Window(3))
    with pytest.raises(ValueError, match="got Causal, Window"):
        mixer(x, Context.of(x, mask=Window(3)))
    with pytest.raises(ValueError, match="decay expected a direction of time"):
        make(decay=FixedDecay(H))
    with pytest.raises(ValueError, match="heads that divide d_model 12, got 5"):
        LinearAttention(12, 5)


# ------------------------------------------------------------------------------ TransNormer


def test_norm_attention_is_normalised_and_forgets_the_size_of_its_queries():
    mixer, x = make(NormAttention), tokens()
    q, k, v = projected(mixer, x)
    q, k = (elu_plus_one(Tensor(z, dtype=float)).numpy() for z in (q, k))
    y = np.einsum("bhtm,bhsm,bhsd->bthd", q, k, v).reshape(B, T, D)
    y /= np.sqrt((y**2).mean(-1, keepdims=True) + mixer.readout.norm.eps)
    expected = mixer.out(Tensor(y, dtype=float)).numpy()
    np.testing.assert_allclose(mixer(x).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("mask", [None, Causal()])
def test_diag_attention_is_attention_under_a_mask_of_blocks(mask):
    attention = MultiHeadAttention(D, H, mask=mask, rng=0).to(np.float64)
    mixer, x = DiagAttention(attention, 4), tokens()
    valid = np.stack([np.ones(T, bool), np.arange(T) >= 3])
    rows = np.stack([np.arange(T), np.maximum(np.arange(T) - 3, 0)])[..., None]
    for ctx in (Context.of(x), Context(coords=rows, valid=valid), Context(coords=rows[:1] + 6)):
        expected = attention(x, ctx.replace(mask=Blocks(4))).numpy()
        there = np.ones((B, T), bool) if ctx.valid is None else ctx.valid
        np.testing.assert_allclose(mixer(x, ctx).numpy()[there], expected[there], atol=1e-12)


def test_one_block_is_ordinary_attention():
    attention, x = MultiHeadAttention(D, H, mask=Causal(), rng=0).to(np.float64), tokens()
    np.testing.assert_allclose(
        DiagAttention(attention, T)(x).numpy(), attention(x).numpy(), atol=1e-13
    )


def test_blocks_refuse_what_they_cannot_keep():
    mixer, x = DiagAttention(make(MultiHeadAttention), 4), tokens()
    with pytest.raises(ValueError, match="got Window"):
        mixer(x, Context.of(x, mask=Window(2)))
    with pytest.raises(ValueError, match="size of at least 1, got 0"):
        Blocks(0)


# ------------------------------------------------------------------------------------ SUPRA


def teacher():
    return Decoder.llama(17, D, H, 2, rng=0)


def test_supra_is_its_formula():
    mixer, x = make(SUPRA, position=Rotary(d)), tokens()
    q, k, v = projected(mixer, x)
    coords = Context.of(x).coords
    features = [Tensor(np.maximum(z, 0), dtype=float) for z in (q, k)]
    q, k = (z.numpy() for z in Rotary(d).queries_and_keys(*features, coords, coords))
    distance = np.arange(T)[:, None] - np.arange(T)
    gamma = 1 - 2.0 ** (-5 - np.arange(H))[:, None, None]
    scores = (q @ k.swapaxes(-1, -2)) * np.where(distance >= 0, gamma ** np.abs(distance), 0)
    y = (scores @ v).swapaxes(1, 2)  # (B, T, H, d)
    y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)
    expected = mixer.out(Tensor(y.reshape(B, T, D), dtype=float)).numpy()
    np.testing.assert_allclose(mixer(x).numpy(), expected, atol=1e-6)  # gamma is float32


def test_a_linearised_model_keeps_every_weight_and_decodes_from_its_state():
    model = teacher()
    before = {name: x.copy() for name, x in model.state_dict().items()}
    student = linearised(model)
    kept = student.state_dict()
    assert all(np.array_equal(kept[name], x) for name, x in before.items())
    new = {name.rsplit(".", 2)[-2] for name in set(kept) - set(before)}
    assert new == {"feature_map", "norm", "decay"}
    assert all(np.array_equal(x, before[name]) for name, x in model.state_dict().items())
    ids = np.random.default_rng(0).integers(17, size=(2, 9))
    with no_grad():
        assert np.abs(student(ids).numpy() - model(ids).numpy()).max() > 1e-2
        state = student.init_state(2)
        a, state = student.step(ids[:, :5], state)
        b, state = student.step(ids[:, 5:], state)
        found = np.concatenate([a.numpy(), b.numpy()], axis=1)
        np.testing.assert_allclose(found, student(ids).numpy(), atol=1e-4)
    assert generate(student, ids[:, :3], 6).shape == (2, 6)
    for p in student.parameters():
        p.grad = None
    student.loss(ids, ids).backward()
    assert all(p.grad is not None for p in student.parameters())
    assert all(p.grad is None for p in model.parameters())


def test_gamma_one_and_phi_identity_are_unnormalised_linear_attention():
    mixer, x = make(SUPRA), tokens()
    mixer.feature_map, mixer.decay = (lambda z: z), None
    plain = LinearAttention(
        D, H, feature_map=lambda z: z, readout=Normed(nn.GroupNorm(H, D)), mask=Causal(), rng=5
    ).to(np.float64)
    weights = dict(mixer.named_parameters())
    np.testing.assert_allclose(
        functional_call(plain, weights, x).numpy(), mixer(x).numpy(), atol=1e-13
    )


@pytest.mark.parametrize("options", [
    {}, {"mask": Causal() & Window(3)}, {"mask": Causal(), "position": ALiBi(H)},
    {"mask": Causal(), "num_kv_heads": 1}, {"mask": Causal(), "inner_norm": nn.LayerNorm(D)},
])  # fmt: skip
def test_what_has_no_linear_form_is_refused(options):
    held = nn.Sequential(MultiHeadAttention(D, H, rng=0, **options))
    with pytest.raises(ValueError, match="linearised expected causal softmax attention"):
        linearised(held)
