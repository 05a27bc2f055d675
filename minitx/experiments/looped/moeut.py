"""Layers used again and again with experts inside: what scaling does, what they cost, who learns.

Three decoders of six layers of width 64 read text: a dense one; a group of two layers used three
times, with experts and as many weights; a group of two dense layers used three times, with as many
multiplications as the experts have.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from minitx import data, nn, no_grad
from minitx import functional as F
from minitx.autograd import naive_twins
from minitx.autograd.tensor import Tensor, wrap
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.channel_mixers.sigma_moe import SigmaMoE
from minitx.connections import PeriNorm, PreNorm
from minitx.context import Context
from minitx.depth.groups import Group
from minitx.depth.stack import Loop, Stack
from minitx.experiments import language, part
from minitx.models import Decoder, initialise
from minitx.models.sequence import sequence_context
from minitx.nn.experts import Choice, Experts
from minitx.positions import Rotary
from minitx.token_mixers import Causal, MultiHeadAttention, SwitchHead
from minitx.training.adam import AdamW
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

D, LAYERS, GROUP, LENGTH, BATCH = 64, 6, 2, 64, 16
HEADS, D_HEAD, D_FF = 4, 16, 256  # of the dense decoder
FEW, EXPERTS, TOP, D_EXPERT = 2, 16, 2, 53  # of the other: heads; experts, taken, how wide
HEAD_EXPERTS, HEAD_TOP, SHARED_FF = 8, 2, 162  # experts of a head, taken; and without experts
Rng = np.random.Generator


def dense_block(rng: Rng, heads: int = HEADS, d_ff: int = D_FF) -> Block:
    """Pre-norm, rotary attention, ReLU; no biases."""
    attention = MultiHeadAttention(
        D, heads, d_head=D_HEAD, position=Rotary(D_HEAD), mask=Causal(), bias=False, rng=rng
    )
    return Block(attention, MLP(D, d_ff, "relu", bias=False, rng=rng), norm=_norm)


def expert_block(rng: Rng, balance: float = 1.0, eps: float = 1e-5) -> Block:
    """SwitchHead and sigma-MoE, joined by peri-norm; ``balance`` times the usual losses."""
    attention = SwitchHead(
        D, FEW, HEAD_EXPERTS, HEAD_TOP, D_HEAD, balance=0.001 * balance,
        position=Rotary(D_HEAD), mask=Causal(), rng=rng,
    )  # fmt: skip
    experts = SigmaMoE(D, D_EXPERT, EXPERTS, TOP, balance=0.01 * balance, rng=rng)
    norm = lambda: nn.LayerNorm(D, eps=eps)  # noqa: E731
    return Block(attention, experts, norm=norm, connection=PeriNorm())


def _norm() -> nn.LayerNorm:
    return nn.LayerNorm(D)


# ------------------------------------------------------------------------------- 1: homogeneity


@part(1)
def scaling(seed: int = 0) -> dict[str, float]:
    """Relative deviations over c = 0.01 ... 100, and how the size of a pre-norm update falls."""
    rng = np.random.default_rng(seed)
    x = Tensor(rng.standard_normal((2, 11, D)), dtype=np.float64)
    peri = expert_block(rng, eps=0.0).to("float64")
    pre = Block(
        *dense_block(rng).sublayers[:1], norm=lambda: nn.LayerNorm(D, eps=0.0), connection=PreNorm()
    ).to("float64")
    with no_grad():
        once, update = peri(x).numpy(), (pre(x) - x).numpy()
        degree_one = degree_zero = 0.0
        for c in (0.01, 0.1, 10.0, 100.0):
            degree_one = max(degree_one, apart(peri(x * c).numpy() / c, once))
            degree_zero = max(degree_zero, apart((pre(x * c) - x * c).numpy(), update))
    return {"peri-norm": degree_one, "pre-norm update": degree_zero}


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """max |a - b| / max |b|."""
    return float(np.abs(a - b).max() / np.abs(b).max())


# ---------------------------------------------------------------------------- 2: the dense limit


class Everyone(nn.Module):
    """In place of a Chooser: all experts, with gates of 1."""

    def __init__(self, experts: int):
        self.top = experts

    def forward(self, x: Tensor) -> Choice:
        ones = F.ones_like(x[..., None, : self.top])  # (..., 1, E)
        index = np.broadcast_to(np.arange(self.top), ones.shape)
        return Choice(index, ones, ones)


@part(2)
def limits(seed: int = 0) -> dict[str, float]:
    """All experts taken with gates of 1 against one wide layer; two uses against two copies."""
    rng = np.random.default_rng(seed)
    moe = SigmaMoE(D, 5, num_experts=7, top=7, rng=rng).to("float64")
    x = Tensor(rng.standard_normal((2, 11, D)), dtype=np.float64)
    moe.choose = Everyone(7)
    up = np.concatenate(list(moe.up.weight.numpy()), axis=1)  # (D, 7 * 5)
    down = np.concatenate(list(moe.down.weight.numpy()), axis=0)  # (7 * 5, D)
    wide = np.maximum(x.numpy() @ up, 0) @ down
    return {"dense": apart(moe(x).numpy(), wide), "shared gradients": _shared_gradients(rng, x)}


def _shared_gradients(rng: Rng, x: Tensor) -> float:
    blocks = [expert_block(rng).to("float64") for _ in range(2)]
    copies = [expert_block(rng).to("float64") for _ in range(4)]
    for i, copy in enumerate(copies):
        copy.load_state_dict(blocks[i % 2].state_dict())
    for depth in (Group(blocks, 2), Stack(copies)):
        F.sum(F.square(depth(x, Context.of(x)))).backward()
    worst = 0.0
    for i, block in enumerate(blocks):
        uses = zip(copies[i].parameters(), copies[i + 2].parameters(), strict=True)
        for shared, (first, second) in zip(block.parameters(), uses, strict=True):
            summed = first.grad.numpy() + second.grad.numpy()
            worst = max(worst, apart(shared.grad.numpy(), summed))
    return worst


# ------------------------------------------------------------------------------------ 3: counts


def decoder(depth: nn.Module, rng: Rng, vocab_size: int) -> Decoder:
    """Token vectors, ``depth``, a norm before the head; all start as ``initialise`` has it."""
    model = Decoder(nn.Embedding(vocab_size, D, rng=rng), depth, _norm(), rng=rng)
    initialise(model, D, LAYERS, rng)
    for name, found in model.named_modules():
        if isinstance(found, Experts) and name.rpartition(".")[2] in ("down", "outputs"):
            found.weight.assign(found.weight.numpy() / np.sqrt(2 * LAYERS))
    return model


def made(name: str, rng: Rng, vocab_size: int) -> Decoder:
    """A decoder that races: "dense", "MoEUT", "MoEUT, no balance" or "universal"."""
    group: dict[str, Callable] = {
        "MoEUT": lambda: expert_block(rng),
        "MoEUT, no balance": lambda: expert_block(rng, balance=0.0),
        "universal": lambda: dense_block(rng, FEW, SHARED_FF),
    }
    if name == "dense":
        depth: nn.Module = Stack([dense_block(rng) for _ in range(LAYERS)])
    else:
        depth = Group([group[name]() for _ in range(GROUP)], LAYERS // GROUP)
    return decoder(depth, rng, vocab_size)


def formula(name: str, vocab_size: int) -> tuple[int, int]:
    """(weights in matrices, multiply-adds for each token of a text of LENGTH)."""
    dense = 4 * D * HEADS * D_HEAD + 2 * D * D_FF
    shared = 4 * D * FEW * D_HEAD + 2 * D * SHARED_FF
    chosen = 2 * D * FEW * D_HEAD + 2 * D * FEW * HEAD_EXPERTS + D * EXPERTS  # q, k, all choices
    expert_weights = chosen + 2 * FEW * HEAD_EXPERTS * D * D_HEAD + 2 * EXPERTS * D * D_EXPERT
    expert_work = chosen + 2 * FEW * HEAD_TOP * D * D_HEAD + 2 * TOP * D * D_EXPERT
    heads = HEADS if name == "dense" else FEW
    weights, work, copies = {
        "dense": (dense, dense, LAYERS),
        "MoEUT": (expert_weights, expert_work, GROUP),
        "universal": (shared, shared, GROUP),
    }[name]
    pairs = 2 * LENGTH * heads * D_HEAD  # scores, and values mixed
    ends = D * vocab_size
    return copies * weights + 2 * ends, LAYERS * (work + pairs) + ends


def counted(model: Decoder) -> tuple[int, int]:
    """The same, from the parameters with two axes or more, and from the graph of one pass."""
    weights = sum(p.numpy().size for p in model.parameters() if p.ndim > 1)
    with naive_twins():
        y = model(np.zeros((1, LENGTH), int))
    work, seen, waiting = 0, set(), [y.node]
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        waiting += node.parents
        if node.primitive is not None and "matmul" in node.primitive.name:
            work += node.size * node.inputs[0].shape[-1]
    return weights, work // LENGTH


@part(3)
def counts(seed: int = 0) -> dict[str, float]:
    vocab_size, found, wrong = 97, {}, 0
    for name in ("dense", "MoEUT", "universal"):
        found[name] = formula(name, vocab_size)
        counter = counted(made(name, np.random.default_rng(seed), vocab_size))
        wrong += sum(abs(a - b) for a, b in zip(counter, found[name], strict=True))
    (weights, work), (dense_weights, dense_work) = found["MoEUT"], found["dense"]
    return {
        "formula against counter": wrong,
        "weights over dense": weights / dense_weights,
        "multiply-adds over dense": work / dense_work,
    }


# ---------------------------------------------------------------------------- 4: who learns text


def loss(model: Decoder, inputs: np.ndarray, targets: np.ndarray) -> tuple[Tensor, Tensor]:
    """(cross-entropy in nats, the same with what the parts left to be added)."""
    ctx = sequence_context(inputs)
    x = model.depth(model.tokens(wrap(inputs, None)), ctx)
    nats = F.cross_entropy(model.head(model.norm(x)), targets)
    return nats, sum((value for _, value in ctx.losses), nats)


@cache
def trained(name: str, seed: int = 0, steps: int = 400) -> Decoder:
    """A decoder that has read ``steps`` batches of 16 windows of 64 characters."""
    model = made(name, np.random.default_rng(seed), language.text().vocab_size)
    optimiser = AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    schedule = warm_up_cosine(steps // 10, steps)
    windows = data.Windows(language.text().train, LENGTH)
    batches = windows.batches(BATCH, np.random.default_rng([seed, 1]))
    for step, batch in zip(range(steps), batches, strict=False):
        loss(model, batch.inputs, batch.targets)[1].backward()
        clip_norm(model.parameters(), 1.0)
        optimiser.step(schedule(step))
        optimiser.zero_grad()
    return model


def held_out(windows: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Windows spread over the held-out text."""
    ids = language.text().held_out
    starts = np.linspace(0, len(ids) - LENGTH - 1, windows).astype(int)
    return data.Windows(ids, LENGTH).at(starts)


def nats(model: Decoder) -> float:
    """The cross-entropy of each held-out character."""
    with no_grad():
        return loss(model, *held_out())[0].item()


def usage(model: Decoder, windows: int = 256) -> np.ndarray:
    """How often each expert of sigma-MoE was taken on held-out text: (layers, uses, experts)."""
    found: list[Sequence] = []
    with no_grad():
        inputs, _ = held_out(windows)
        ctx = sequence_context(inputs)
        Loop(model.depth.block, model.depth.times)(model.tokens(wrap(inputs, None)), ctx)
    for block in model.depth.block.blocks:
        uses = ctx.shared["choices"][id(block.sublayers[1])].logits
        taken = [F.topk(logits, TOP)[1].numpy().ravel() for logits in uses]
        found.append([np.bincount(index, minlength=EXPERTS) for index in taken])
    return np.array(found)


def evenness(model: Decoder, windows: int = 256) -> float:
    """The entropy of which expert is taken, over all uses, over log N_E; the worse layer."""
    taken = usage(model, windows).sum(axis=1)  # (layers, E)
    share = taken / taken.sum(axis=1, keepdims=True)
    entropy = -(share * np.log(np.maximum(share, 1e-30))).sum(-1)
    return float(entropy.min() / np.log(EXPERTS))


@part(4)
def text(seed: int = 0) -> dict[str, float]:
    found = {name: nats(trained(name, seed)) for name in ("dense", "MoEUT", "universal")}
    even, uneven = (evenness(trained(name, seed)) for name in ("MoEUT", "MoEUT, no balance"))
    return {
        "nats behind dense": found["MoEUT"] - found["dense"],
        "nats ahead of universal": found["universal"] - found["MoEUT"],
        "evenness": even,
        "evenness lost without balance": even - uneven,
    }
