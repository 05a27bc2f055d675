"""The vision transformer: an image as a sequence of patches, read by an encoder."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx import backend, nn
from minitx import functional as F
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.context import Context
from minitx.depth.stack import Stack
from minitx.models.initialise import initialise
from minitx.positions.absolute import Learned
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.tokens.patches import to_patches


class ViT(nn.Module):
    """Patches, a class token before them, positions, blocks: images (B, H, W, C) -> (B, classes).

    patches: the Linear from the p*p*C numbers of a patch to d_model. Without a head the result is
    the class token's vector (B, D). ``ViT.plain`` assembles the familiar shape.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021): N + 1 = T, P = patch_size.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        patch_size: int,
        patches: nn.Linear,
        depth: nn.Module,
        norm: nn.Module,
        *,
        num_classes: int | None = None,
        rng: Any = None,
    ):
        (height, width, channels), d_model = image_shape, patches.weight.shape[0]
        if height % patch_size or width % patch_size or patch_size < 1:
            raise ValueError(f"patches of {patch_size} do not tile images of {height} x {width}")
        rng = backend.generator(rng)
        self.image_shape, self.patch_size = (height, width, channels), patch_size
        self.patches, self.depth, self.norm = patches, depth, norm
        self.first = nn.Parameter(np.zeros((1, d_model)))
        count = (height // patch_size) * (width // patch_size)
        self.position = Learned(count + 1, d_model, rng=rng)
        self.head = None if num_classes is None else nn.Linear(d_model, num_classes, rng=rng)

    def hidden(self, images: Any) -> Tensor:
        """The vectors of the class token and of every patch, row by row: (B, 1 + N, D)."""
        images = images if isinstance(images, Tensor) else Tensor(images)
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise ValueError(f"ViT expected images (B, *{self.image_shape}), got {images.shape}")
        x = self.patches(to_patches(images, self.patch_size))  # (B, N, D)
        first = F.broadcast_to(self.first, (x.shape[0], 1, x.shape[2]))
        x = F.concatenate([first, x], axis=1)  # (B, 1 + N, D)
        ctx = Context.of(x)
        return self.norm(self.depth(self.position.input(x, ctx.coords), ctx))

    def forward(self, images: Any) -> Tensor:
        first = self.hidden(images)[:, 0]
        return first if self.head is None else self.head(first)

    def loss(self, images: Any, labels: Any) -> Tensor:
        """The mean cross-entropy in nats of ``labels`` (B,)."""
        return F.cross_entropy(self(images), labels)

    @classmethod
    def plain(
        cls,
        image_size: int,
        patch_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        num_classes: int | None = None,
        *,
        channels: int = 3,
        d_ff: int | None = None,
        activation: str | Callable = "gelu_erf",
        eps: float = 1e-6,
        rng: Any = None,
    ) -> "ViT":
        """ViT's shape: square images, LayerNorm before each sublayer, erf-GELU, biases."""
        rng = backend.generator(rng)

        def norm() -> nn.LayerNorm:
            return nn.LayerNorm(d_model, eps)

        def block() -> Block:
            attention = MultiHeadAttention(d_model, num_heads, rng=rng)
            return Block(attention, MLP(d_model, d_ff, activation, rng=rng), norm=norm)

        model = cls(
            (image_size, image_size, channels),
            patch_size,
            nn.Linear(patch_size**2 * channels, d_model, rng=rng),
            Stack([block() for _ in range(num_layers)]),
            norm(),
            num_classes=num_classes,
            rng=rng,
        )
        return initialise(model, d_model, num_layers, rng)
