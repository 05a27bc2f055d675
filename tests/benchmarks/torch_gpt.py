"""The referee: the same GPT written for PyTorch as its users write it."""

import torch
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self, d_model: int, num_heads: int, approximate: str):
        super().__init__()
        self.num_heads, self.approximate = num_heads, approximate
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.qkv, self.out = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)
        self.up, self.down = nn.Linear(d_model, 4 * d_model), nn.Linear(4 * d_model, d_model)

    def forward(self, x):
        B, T, D = x.shape
        heads = (B, T, self.num_heads, D // self.num_heads)
        q, k, v = (z.view(heads).transpose(1, 2) for z in self.qkv(self.norm1(x)).split(D, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, D))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate=self.approximate))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, size: dict, approximate: str):
        super().__init__()
        d_model = size["d_model"]
        self.tokens = nn.Embedding(vocabulary, d_model)
        self.positions = nn.Embedding(size["length"], d_model)
        self.layers = nn.ModuleList(
            Layer(d_model, size["num_heads"], approximate) for _ in range(size["num_layers"])
        )
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocabulary, bias=False)

    def load_minitx(self, model) -> None:
        """Take the weights of a minitx Decoder of the same shape."""
        state = {
            theirs(name): torch.from_numpy(array.copy())
            for name, array in model.state_dict().items()
        }
        self.load_state_dict(state)

    def forward(self, ids, targets):
        x = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


_NAMES = (
    ("depth.blocks.", "layers."),
    ("sublayers.0.qkv", "qkv"),
    ("sublayers.0.out", "out"),
    ("sublayers.1.up", "up"),
    ("sublayers.1.down", "down"),
    ("norms.0", "norm1"),
    ("norms.1", "norm2"),
    ("position.weight", "positions.weight"),
)


def theirs(name: str) -> str:
    """The referee's name of a parameter of minitx's Decoder."""
    for ours, other in _NAMES:
        name = name.replace(ours, other)
    return name
