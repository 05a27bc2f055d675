"""Segment recurrence: attention that also hears the segment before, as it was then."""

from minitx import backend
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.context import Context, Source, TokenMixer


class SegmentMemory(TokenMixer):
    """Attention over the segment before as well: state = what the last ``length`` tokens were.

    ``attention`` is a CrossAttention with a causal mask; its source is [memory; x], of which the
    memory passes no gradient. ``forward`` is the first segment, whose memory is empty.

    Source: Dai et al., "Transformer-XL" (2019): SG = stop_gradient, M = length.
    """

    def __init__(self, attention: TokenMixer, length: int):
        self.attention, self.length = attention, length

    def init_state(self, batch: int) -> Source | None:
        return None

    def forward(self, x: Tensor, ctx: Context | None = None) -> Tensor:
        return self.step(x, None, Context.of(x) if ctx is None else ctx)[0]

    def step(self, x: Tensor, state: Source | None, ctx: Context) -> tuple[Tensor, Source]:
        heard = _after(state, Source(x, ctx.coords, ctx.valid))
        y = self.attention(x, ctx.replace(source=heard, decoding=None))
        return y, _last(heard, self.length)


def _after(memory: Source | None, new: Source) -> Source:
    if memory is None:
        return new
    xp, old = backend.namespace(new.coords), memory.tokens
    batch = new.tokens.shape[0]
    coords = [xp.broadcast_to(x, (batch, *x.shape[1:])) for x in (memory.coords, new.coords)]
    valid = None
    if memory.valid is not None or new.valid is not None:
        parts = [xp.ones(s.tokens.shape[:2], bool) if s.valid is None else s.valid
                 for s in (memory, new)]  # fmt: skip
        valid = xp.concatenate(parts, axis=1)
    tokens = F.concatenate([F.stop_gradient(old), new.tokens], axis=1)
    return Source(tokens, xp.concatenate(coords, axis=1), valid)


def _last(source: Source, n: int) -> Source:
    start = max(0, source.tokens.shape[1] - n)
    valid = None if source.valid is None else source.valid[:, start:]
    return Source(source.tokens[:, start:], source.coords[:, start:], valid)
