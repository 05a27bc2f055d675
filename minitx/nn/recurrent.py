"""GRU and LSTM: a state that is carried from token to token, and gates that say what it keeps.

Each has the form for a sequence, ``forward``, and for one token, ``step``; they give the same
numbers. Weights are laid out as in PyTorch: the gates below each other in one matrix.
"""

from typing import Any

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.nn import initialisers
from minitx.nn.module import Module, Parameter


class _Recurrent(Module):
    """``gates`` blocks of d_hidden rows in each matrix; a cell of ``states`` vectors a sequence."""

    gates: int
    states: int

    def __init__(self, d_in: int, d_hidden: int, *, rng: Any = None):
        rng, bound, rows = backend.generator(rng), max(d_hidden, 1) ** -0.5, self.gates * d_hidden
        self.weight_ih = Parameter(initialisers.uniform(rng, (rows, d_in), bound))
        self.weight_hh = Parameter(initialisers.uniform(rng, (rows, d_hidden), bound))
        self.bias_ih = Parameter(initialisers.uniform(rng, (rows,), bound))
        self.bias_hh = Parameter(initialisers.uniform(rng, (rows,), bound))

    def init_state(self, batch: int) -> Any:
        """The state before the first token: zeros."""
        zeros = F.full_like(self.weight_hh, 0, shape=(batch, self.weight_hh.shape[1]))
        return zeros if self.states == 1 else (zeros,) * self.states

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """x (B, T, d_in), a state or None -> (y (B, T, d_hidden), the state after the last)."""
        self._expect(x, "(B, T, {})", 3)
        state = self.init_state(x.shape[0]) if state is None else state
        seen = F.linear(x, self.weight_ih, self.bias_ih)  # all tokens in one product
        found = []
        for part in F.split(seen, x.shape[1], axis=1) if x.shape[1] else []:
            state = self.cell(F.squeeze(part, 1), state)
            found.append(state if self.states == 1 else state[0])
        if not found:
            return F.full_like(x, 0, shape=(x.shape[0], 0, self.weight_hh.shape[1])), state
        return F.stack(found, axis=1), state

    def step(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One token x (B, d_in) and a state -> (y (B, d_hidden), the next state)."""
        self._expect(x, "(B, {})", 2)
        state = self.cell(F.linear(x, self.weight_ih, self.bias_ih), state)
        return (state if self.states == 1 else state[0]), state

    def cell(self, seen: Tensor, state: Any) -> Any:
        """The next state, from W_ih x + b_ih (B, gates d_hidden) and the state."""
        raise NotImplementedError

    def _expect(self, x: Tensor, form: str, ndim: int) -> None:
        width = self.weight_ih.shape[1]
        if x.ndim != ndim or x.shape[-1] != width:
            raise ValueError(f"{type(self).__name__} expected {form.format(width)}, got {x.shape}")


class GRU(_Recurrent):
    """h' = (1 - z) n + z h: the update gate z chooses between the old state and a new one, n.

    r = sigmoid(W_r x + U_r h), z = sigmoid(W_z x + U_z h), n = tanh(W_n x + r (U_n h)), biases left
    out here. The state is h (B, d_hidden). Raises ValueError for another last axis.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014); r stands
    outside U_n h, as in PyTorch, where 1 - z is called z.
    """

    gates, states = 3, 1

    def cell(self, seen: Tensor, state: Tensor) -> Tensor:
        kept = F.linear(state, self.weight_hh, self.bias_hh)
        (r, z, n), (hr, hz, hn) = F.split(seen, 3, axis=-1), F.split(kept, 3, axis=-1)
        r, z = F.sigmoid(r + hr), F.sigmoid(z + hz)
        n = F.tanh(n + r * hn)
        return n + z * (state - n)


class LSTM(_Recurrent):
    """c' = f c + i g and h' = o tanh(c'): what is written to, kept in and read from the memory c.

    i, f, o = sigmoid(W x + U h) and g = tanh(W_g x + U_g h), each with matrices of its own and
    biases, left out here. The state is (h, c), each (B, d_hidden). Raises ValueError for another
    last axis.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997); with the forget gate f of
    Gers, Schmidhuber and Cummins (2000).
    """

    gates, states = 4, 2

    def cell(self, seen: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = F.split(seen + F.linear(h, self.weight_hh, self.bias_hh), 4, axis=-1)
        c = F.sigmoid(f) * c + F.sigmoid(i) * F.tanh(g)
        return F.sigmoid(o) * F.tanh(c), c
