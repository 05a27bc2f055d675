"""Parameters laid end to end: the numbers stay, each begins a line of the cache, gradients flow."""

import numpy as np
import pytest

from minitx import Tensor, nn
from minitx.backend.arena import Arena


class Mixed(nn.Module):
    def __init__(self):
        self.layers = [nn.Linear(7, 5, rng=0), nn.Linear(5, 3, rng=1)]
        self.count = nn.Buffer(np.array(4))
        self.phase = nn.Parameter(np.ones((3, 2), np.complex64))
        self.tied = self.layers[0].weight

    def forward(self, x):
        return self.layers[1](self.layers[0](x))


def test_the_numbers_stay_and_lie_in_one_array():
    model = Mixed()
    before, x = model.state_dict(), Tensor(np.arange(14.0).reshape(2, 7))
    y = model(x).numpy()
    assert nn.pack(model) is model
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
        assert array.dtype == before[name].dtype
    np.testing.assert_array_equal(model(x).numpy(), y)
    arrays = [p.data for p in model.parameters()]
    starts = np.array([array.ctypes.data for array in arrays])
    assert not (starts % 64).any()
    ends = starts + [array.nbytes for array in arrays]
    assert (np.diff(starts) > 0).all() and (starts[1:] - ends[:-1] < 64).all()
    assert model.tied is model.layers[0].weight


def test_a_packed_model_learns_and_an_older_graph_is_stale():
    model = Mixed()
    x = Tensor(np.ones((2, 7)))
    old = model(x).sum()
    nn.pack(model)
    with pytest.raises(RuntimeError, match="changed"):
        old.backward()
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.layers[1].parameters())


def test_an_arena_begins_a_new_block_when_one_is_full():
    arena = Arena(block=256)
    arrays = [arena.empty(np, shape, np.float32) for shape in ((3, 5), (0,), (), (7, 2), (1000,))]
    for i, array in enumerate(arrays):
        array[...] = i
    for i, array in enumerate(arrays):
        assert (array == i).all() and array.flags.c_contiguous
    assert [array.shape for array in arrays] == [(3, 5), (0,), (), (7, 2), (1000,)]
