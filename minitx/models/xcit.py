"""XCiT: a vision transformer whose channels attend to channels, with work linear in the patches."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.connections.additions import LayerScale
from minitx.connections.residual import PreNorm
from minitx.context import Context
from minitx.depth.stack import Stack
from minitx.positions.absolute import Learned
from minitx.token_mixers.class_attention import FirstToken
from minitx.token_mixers.cross_attention import CrossAttention
from minitx.token_mixers.cross_covariance import CrossCovarianceAttention
from minitx.token_mixers.local_patches import LocalPatchInteraction
from minitx.tokens.patches import to_patches


class XCiT(nn.Module):
    """Patches, ``depth``, a class token before them, ``reading``, a head: (B, H, W, C) -> (B, K).

    patches: the Linear from the p*p*C numbers of a patch to d_model. depth: the blocks that move
    the patches, told their grid. reading: the blocks that move the class token. ``XCiT.plain``
    assembles the paper's shape. Raises ValueError for images of another shape.

    Source: El-Nouby et al., "XCiT: Cross-Covariance Image Transformers" (2021).
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        patch_size: int,
        patches: nn.Linear,
        depth: nn.Module,
        reading: nn.Module,
        num_classes: int,
        rng: Any = None,
    ):
        (height, width, _), d_model = image_shape, patches.weight.shape[0]
        if patch_size < 1 or height % patch_size or width % patch_size:
            raise ValueError(f"patches of {patch_size} do not tile images of {height} x {width}")
        rng = backend.generator(rng)
        self.image_shape, self.patch_size = tuple(image_shape), patch_size
        self.grid = (height // patch_size, width // patch_size)
        self.patches, self.depth, self.reading = patches, depth, reading
        self.position = Learned(self.grid[0] * self.grid[1], d_model, rng=rng)
        self.first, self.norm = nn.Parameter(np.zeros((1, d_model))), nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, num_classes, rng=rng)

    def forward(self, images: Any) -> Tensor:
        images = images if isinstance(images, Tensor) else Tensor(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise ValueError(f"XCiT expected images (B, *{self.image_shape}), got {images.shape}")
        x = self.patches(to_patches(images, self.patch_size))  # (B, N, D)
        ctx = Context.of(x, grid=self.grid)
        x = self.depth(self.position.input(x, ctx.coords), ctx)
        first = F.broadcast_to(self.first, (x.shape[0], 1, x.shape[2]))
        x = F.concatenate([first, x], axis=1)  # (B, 1 + N, D)
        x = self.reading(x, Context.of(x))
        return self.head(self.norm(x[:, 0]))

    def loss(self, images: Any, labels: Any) -> Tensor:
        """The mean cross-entropy in nats of ``labels`` (B,)."""
        return F.cross_entropy(self(images), labels)

    @classmethod
    def plain(
        cls,
        image_shape: tuple[int, int, int],
        patch_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        num_classes: int,
        rng: Any = None,
    ) -> "XCiT":
        """Blocks of cross-covariance attention, local interaction and an MLP; two that read."""
        rng = backend.generator(rng)

        def block(*mixers: nn.Module) -> Block:
            scales = [LayerScale(d_model, 0.1) for _ in mixers]
            return Block(*mixers, norm=_norm(d_model), connection=PreNorm(*scales))

        def mixing() -> Block:
            attention = CrossCovarianceAttention(d_model, num_heads, rng=rng)
            return block(attention, LocalPatchInteraction(d_model, rng=rng), MLP(d_model, rng=rng))

        def reading() -> Block:
            attention = FirstToken(CrossAttention(d_model, num_heads, rng=rng))
            return block(attention, FirstToken(MLP(d_model, rng=rng)))

        return cls(
            image_shape,
            patch_size,
            nn.Linear(patch_size**2 * image_shape[2], d_model, rng=rng),
            Stack([mixing() for _ in range(num_layers)]),
            Stack([reading() for _ in range(2)]),
            num_classes,
            rng=rng,
        )


def _norm(d_model: int) -> Callable[[], nn.LayerNorm]:
    return lambda: nn.LayerNorm(d_model)
