"""Adapters whose weights are made by another network, from (task, layer, place)."""

import numpy as np

from minitx import Tensor, nn
from minitx import functional as F
from minitx.block import Block
from minitx.channel_mixers import MLP
from minitx.depth import Stack
from minitx.nn.module import functional_call
from minitx.token_mixers import MultiHeadAttention


class Adapter(nn.Module):
    """norm(U gelu(D x)) + x, the weights of which are slots to be filled."""

    def __init__(self, d_model, rank):
        self.down = nn.Parameter(np.zeros((rank, d_model)))
        self.up = nn.Parameter(np.zeros((d_model, rank)))
        self.gain, self.shift = nn.Parameter(np.zeros(d_model)), nn.Parameter(np.zeros(d_model))

    def forward(self, x):
        return x + F.layer_norm(F.gelu(x @ self.down.T) @ self.up.T, self.gain, self.shift)


class Adapted(nn.Module):
    """A sublayer followed by an adapter."""

    def __init__(self, sublayer, adapter):
        self.sublayer, self.adapter = sublayer, adapter

    def forward(self, x, ctx=None):
        return self.adapter(self.sublayer(x, ctx))


class Hypernetwork(nn.Module):
    """One for all: (task, layer, place) -> the tensors of the adapter there."""

    def __init__(self, backbone, tasks, t, rng):
        named = {n: p.shape for n, p in backbone.named_parameters() if ".adapter." in n}
        self.places = sorted({name.rpartition(".")[0] for name in named})
        self.shapes = {name.rpartition(".")[2]: shape for name, shape in named.items()}
        self.tasks = nn.Embedding(tasks, t, rng=rng)
        self.where = nn.Embedding(len(self.places), t, rng=rng)
        self.inner = nn.Linear(2 * t, t, rng=rng)
        self.backbone = {"model": backbone}
        self.make = {
            key: nn.Linear(t, int(np.prod(shape)), bias=False, rng=rng)
            for key, shape in self.shapes.items()
        }

    def tensors(self, task):
        made = {}
        for i, place in enumerate(self.places):
            code = F.concatenate([self.tasks(np.array(task)), self.where(np.array(i))], axis=-1)
            code = F.relu(self.inner(code))
            for key, shape in self.shapes.items():
                made[f"{place}.{key}"] = F.reshape(self.make[key](code), shape)
        return made

    def forward(self, x, task):
        return functional_call(self.backbone["model"], self.tensors(task), x)


def setup():
    rng = np.random.default_rng(0)
    d, rank = 6, 3

    def layer():
        return Block(
            Adapted(MultiHeadAttention(d, 2, rng=rng), Adapter(d, rank)),
            Adapted(MLP(d, 11, rng=rng), Adapter(d, rank)),
            norm=lambda: nn.LayerNorm(d),
        )

    backbone = Stack([layer(), layer()]).freeze()
    return Hypernetwork(backbone, 3, 4, rng), Tensor(rng.normal(size=(2, 5, d)))


def test_generated_weights_do_what_stored_weights_do():
    hyper, x = setup()
    got = hyper(x, 1)
    backbone = hyper.backbone["model"]
    assert np.abs(got.numpy() - backbone(x).numpy()).max() > 1e-2
    for name, tensor in hyper.tensors(1).items():
        dict(backbone.named_parameters())[name].assign(tensor)
    assert np.abs(got.numpy() - backbone(x).numpy()).max() < 1e-6


def test_only_the_hypernetwork_learns_and_each_task_its_own_row():
    hyper, x = setup()
    hyper(x, 2).sum().backward()
    assert all(not p.requires_grad for p in hyper.backbone["model"].parameters())
    rows = np.abs(hyper.tasks.weight.grad.numpy()).sum(axis=1)
    assert rows[2] > 0 and rows[0] == rows[1] == 0
    assert all(np.abs(part.weight.grad.numpy()).max() > 0 for part in hyper.make.values())


def test_generated_weights_lie_in_as_many_dimensions_as_the_code():
    hyper, _ = setup()
    rows = [
        made[f"{place}.up"].numpy().ravel()
        for made in map(hyper.tensors, range(3))
        for place in hyper.places
    ]
    assert np.linalg.matrix_rank(np.stack(rows), tol=1e-5) <= 4
