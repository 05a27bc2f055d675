"""Cross-attention: the tokens of one sequence hear those of another."""

from typing import Any

from minitx import backend, nn
from minitx.autograd.tensor import Tensor
from minitx.context import Context, Source
from minitx.token_mixers.attention import Attention, head_width
from minitx.token_mixers.cache import Keys
from minitx.token_mixers.heads import split_heads


class CrossAttention(Attention):
    """The tokens of x hear the tokens of ``ctx.source``, and not one another.

    x (B, T, D), source (B, S, d_source) -> (B, T, D). Step by step it projects the source once.
    Keywords as in ``MultiHeadAttention``.

    Raises ValueError when the Context has no source.
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        num_kv_heads: int | None = None,
        d_head: int | None = None,
        *,
        d_source: int | None = None,
        bias: bool = True,
        rng: Any = None,
        **options: Any,
    ):
        d_head = d_head or head_width(d_model, num_heads)
        super().__init__(num_heads, num_kv_heads or num_heads, d_head, **options)
        rng = backend.generator(rng)
        self.q = nn.Linear(d_model, num_heads * d_head, bias=bias, rng=rng)
        width = 2 * self.num_kv_heads * d_head
        self.kv = nn.Linear(d_source or d_model, width, bias=bias, rng=rng)
        self.out = nn.Linear(num_heads * d_head, d_model, bias=bias, rng=rng)

    def ask(self, x: Tensor, ctx: Context) -> tuple[Tensor, Keys, Any]:
        source = self._source(ctx)
        k, v = split_heads(self.kv(source.tokens), self.num_kv_heads, self.num_kv_heads)
        q, k = self.placed(self._queries(x), k, ctx.coords, source.coords)
        return q, Keys(k, v, source.coords, source.valid), source.mask

    def _queries(self, x: Tensor) -> Tensor:
        return split_heads(self.q(x), self.num_heads)[0]

    def _source(self, ctx: Context) -> Source:
        if ctx.source is None:
            raise ValueError("CrossAttention expected a Context with a source, got none")
        return ctx.source

    def init_state(self, batch: int) -> Any:
        return None

    def step(self, x: Tensor, state: Keys | None, ctx: Context) -> tuple[Tensor, Keys]:
        if state is None:
            q, keys, mask = self.ask(x, ctx)
        else:
            keys, mask = state, self._source(ctx).mask
            none = None if keys.coords is None else keys.coords[:, :0]
            q, _ = self.placed(self._queries(x), keys.k[:, :, :0], ctx.coords, none)
        return self.result(self.attend(q, keys, ctx.coords, mask)), keys
