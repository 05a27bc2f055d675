"""Attention and blocks against PyTorch's: outputs and every gradient, from the same weights."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.connections import PostNorm, PreNorm
from minitx.context import Context, Source
from minitx.token_mixers import Causal, CrossAttention, MultiHeadAttention, Window

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

B, T, S, D, H, FF = 2, 7, 5, 12, 3, 17
DTYPES = [(np.float32, 1e-5), (np.float64, 1e-9)]


def close(ours, theirs, tolerance):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    gap = np.abs(np.asarray(ours) - theirs).max()
    assert gap <= tolerance * max(1, np.abs(theirs).max()), gap


def draw(rng, *shape, dtype):
    return rng.normal(size=shape).astype(dtype)


def pair(array):
    return Tensor(array, dtype=array.dtype, requires_grad=True), torch.tensor(
        array, requires_grad=True
    )


def copy_self(theirs, ours):
    ours.qkv.weight.assign(theirs.in_proj_weight.detach().numpy())
    ours.qkv.bias.assign(theirs.in_proj_bias.detach().numpy())
    copy_linear(theirs.out_proj, ours.out)


def copy_cross(theirs, ours):
    weight, bias = theirs.in_proj_weight.detach().numpy(), theirs.in_proj_bias.detach().numpy()
    ours.q.weight.assign(weight[:D]), ours.q.bias.assign(bias[:D])
    ours.kv.weight.assign(weight[D:]), ours.kv.bias.assign(bias[D:])
    copy_linear(theirs.out_proj, ours.out)


def copy_linear(theirs, ours):
    ours.weight.assign(theirs.weight.detach().numpy())
    ours.bias.assign(theirs.bias.detach().numpy())


def same_gradients(theirs, ours, tolerance):
    """The gradients of attention, self or cross."""
    weight, bias = theirs.in_proj_weight.grad, theirs.in_proj_bias.grad
    if isinstance(ours, MultiHeadAttention):
        close(ours.qkv.weight.grad.numpy(), weight, tolerance)
        close(ours.qkv.bias.grad.numpy(), bias, tolerance)
    else:
        rows = [np.concatenate([part.grad.numpy() for part in parts]) for parts in
                ((ours.q.weight, ours.kv.weight), (ours.q.bias, ours.kv.bias))]  # fmt: skip
        close(rows[0], weight, tolerance)
        close(rows[1], bias, tolerance)
    same_linear(theirs.out_proj, ours.out, tolerance)


def same_linear(theirs, ours, tolerance):
    close(ours.weight.grad.numpy(), theirs.weight.grad, tolerance)
    close(ours.bias.grad.numpy(), theirs.bias.grad, tolerance)


def torch_attention(dtype):
    made = torch.nn.MultiheadAttention(D, H, batch_first=True, dtype=getattr(torch, dtype))
    torch.nn.init.normal_(made.in_proj_bias, std=0.3)
    torch.nn.init.normal_(made.out_proj.bias, std=0.3)
    return made


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("masks", ["none", "causal", "padding", "causal window padding"])
def test_self_attention(dtype, tolerance, masks):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    theirs = torch_attention(np.dtype(dtype).name)
    mask = hidden = None
    if "causal" in masks:
        mask = Causal() & Window(3) if "window" in masks else Causal()
        t = np.arange(T)
        seen = (t <= t[:, None]) & (t > t[:, None] - (3 if "window" in masks else T))
        hidden = torch.tensor(~seen)
    valid = np.arange(T) < np.array([[T], [T - 2]]) if "padding" in masks else None
    ours = MultiHeadAttention(D, H, mask=mask).to(dtype)
    copy_self(theirs, ours)
    x, tx = pair(draw(rng, B, T, D, dtype=dtype))
    y = ours(x, Context.of(x, valid=valid))
    padding = None if valid is None else torch.tensor(~valid)
    ty, tw = theirs(
        tx, tx, tx, attn_mask=hidden, key_padding_mask=padding, average_attn_weights=False
    )
    close(y.numpy(), ty, tolerance)
    close(ours.weights(x, Context.of(x, valid=valid)).numpy(), tw, tolerance)
    g = draw(rng, B, T, D, dtype=dtype)
    y.backward(Tensor(g, dtype=dtype))
    ty.backward(torch.tensor(g))
    close(x.grad.numpy(), tx.grad, tolerance)
    same_gradients(theirs, ours, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_cross_attention(dtype, tolerance):
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    theirs = torch_attention(np.dtype(dtype).name)
    ours = CrossAttention(D, H).to(dtype)
    copy_cross(theirs, ours)
    x, tx = pair(draw(rng, B, T, D, dtype=dtype))
    source, tsource = pair(draw(rng, B, S, D, dtype=dtype))
    valid = np.arange(S) < np.array([[S - 2], [S]])
    y = ours(x, Context.of(x, source=Source(source, valid=valid)))
    ty, _ = theirs(tx, tsource, tsource, key_padding_mask=torch.tensor(~valid))
    close(y.numpy(), ty, tolerance)
    g = draw(rng, B, T, D, dtype=dtype)
    y.backward(Tensor(g, dtype=dtype))
    ty.backward(torch.tensor(g))
    close(x.grad.numpy(), tx.grad, tolerance)
    close(source.grad.numpy(), tsource.grad, tolerance)
    same_gradients(theirs, ours, tolerance)


LAYERS = [(dtype, tol, pre, act) for dtype, tol in DTYPES for pre in (False, True)
          for act in ("relu", "gelu_erf")]  # fmt: skip


@pytest.mark.parametrize(("dtype", "tolerance", "pre", "act"), LAYERS)
def test_encoder_layer(dtype, tolerance, pre, act):
    torch.manual_seed(2)
    rng = np.random.default_rng(2)
    theirs = torch.nn.TransformerEncoderLayer(
        D, H, FF, 0.0, act.split("_")[0], batch_first=True, norm_first=pre,
        dtype=getattr(torch, np.dtype(dtype).name),
    )  # fmt: skip
    ours = Block(
        MultiHeadAttention(D, H), MLP(D, FF, act), norm=lambda: nn.LayerNorm(D),
        connection=PreNorm() if pre else PostNorm(),
    ).to(dtype)  # fmt: skip
    attention, mlp = ours.sublayers
    copy_self(theirs.self_attn, attention)
    links = [(theirs.linear1, mlp.up), (theirs.linear2, mlp.down),
             (theirs.norm1, ours.norms[0]), (theirs.norm2, ours.norms[1])]  # fmt: skip
    run(rng, theirs, ours, dtype, tolerance, links, [(theirs.self_attn, attention)], None)


@pytest.mark.parametrize(("dtype", "tolerance", "pre", "act"), LAYERS)
def test_decoder_layer(dtype, tolerance, pre, act):
    torch.manual_seed(3)
    rng = np.random.default_rng(3)
    theirs = torch.nn.TransformerDecoderLayer(
        D, H, FF, 0.0, act.split("_")[0], batch_first=True, norm_first=pre,
        dtype=getattr(torch, np.dtype(dtype).name),
    )  # fmt: skip
    ours = Block(
        MultiHeadAttention(D, H, mask=Causal()), CrossAttention(D, H), MLP(D, FF, act),
        norm=lambda: nn.LayerNorm(D), connection=PreNorm() if pre else PostNorm(),
    ).to(dtype)  # fmt: skip
    attention, cross, mlp = ours.sublayers
    copy_self(theirs.self_attn, attention)
    copy_cross(theirs.multihead_attn, cross)
    norms = zip((theirs.norm1, theirs.norm2, theirs.norm3), ours.norms, strict=True)
    links = [(theirs.linear1, mlp.up), (theirs.linear2, mlp.down), *norms]
    attentions = [(theirs.self_attn, attention), (theirs.multihead_attn, cross)]
    source = draw(rng, B, S, D, dtype=dtype)
    run(rng, theirs, ours, dtype, tolerance, links, attentions, source)


def run(rng, theirs, ours, dtype, tolerance, links, attentions, source):
    for t, o in links:
        torch.nn.init.normal_(t.weight, std=0.4)
        torch.nn.init.normal_(t.bias, std=0.4)
        copy_linear(t, o)
    x, tx = pair(draw(rng, B, T, D, dtype=dtype))
    g = draw(rng, B, T, D, dtype=dtype)
    if source is None:
        y, ty = ours(x), theirs(tx)
    else:
        source, tsource = pair(source)
        y = ours(x, Context.of(x, source=Source(source)))
        ty = theirs(tx, tsource, tgt_mask=torch.ones(T, T, dtype=bool).triu(1))
    close(y.numpy(), ty, tolerance)
    y.backward(Tensor(g, dtype=dtype))
    ty.backward(torch.tensor(g))
    close(x.grad.numpy(), tx.grad, tolerance)
    if source is not None:
        close(source.grad.numpy(), tsource.grad, tolerance)
    for t, o in links:
        same_linear(t, o, tolerance)
    for t, o in attentions:
        same_gradients(t, o, tolerance)


@pytest.mark.parametrize("causal", [False, True])
def test_grouped_queries(causal):
    rng = np.random.default_rng(4)
    ours = MultiHeadAttention(D, 6, 2, d_head=4, mask=Causal() if causal else None, rng=0)
    ours = ours.to(np.float64)
    x = Tensor(rng.normal(size=(B, T, D)), dtype=np.float64)
    q, k, v = (torch.tensor(z.numpy()) for z in ours.project(x, Context.of(x)))
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)
    y = y.transpose(1, 2).reshape(B, T, 24) @ torch.tensor(ours.out.weight.numpy()).T
    close(ours(x).numpy(), y + torch.tensor(ours.out.bias.numpy()), 1e-9)
