"""Another referee: the same GPT and the same AdamW in JAX, one compiled function a step."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

LR, BETAS, EPS, DECAY = 1e-3, (0.9, 0.999), 1e-8, 0.1


def _norm(x, p, name):
    x = x - x.mean(-1, keepdims=True)
    x = x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)
    return x * p[f"{name}.weight"] + p[f"{name}.bias"]


def _linear(x, p, name):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def loss_of(p: dict, ids, targets, *, size: dict, tanh: bool):
    """Mean cross-entropy; ``p`` maps minitx's names of parameters to arrays."""
    (B, T), H = ids.shape, size["num_heads"]
    x = p["tokens.weight"][ids] + p["position.weight"][:T]
    for i in range(size["num_layers"]):
        at = f"depth.blocks.{i}."
        qkv = _linear(_norm(x, p, at + "norms.0"), p, at + "sublayers.0.qkv")
        q, k, v = (z.reshape(B, T, H, -1) for z in jnp.split(qkv, 3, -1))
        y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        x = x + _linear(y.reshape(x.shape), p, at + "sublayers.0.out")
        hidden = jax.nn.gelu(_linear(_norm(x, p, at + "norms.1"), p, at + "sublayers.1.up"), tanh)
        x = x + _linear(hidden, p, at + "sublayers.1.down")
    logits = _norm(x, p, "norm") @ p["head.weight"].T
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), targets[..., None], -1)
    return -chosen.mean()


@partial(jax.jit, static_argnames=("size", "tanh"), donate_argnums=(0, 1, 2))
def _step(p, m, v, t, ids, targets, *, size, tanh):
    loss, g = jax.value_and_grad(loss_of)(p, ids, targets, size=dict(size), tanh=tanh)
    m = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, m, g)
    v = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, v, g)
    one, two = (1 - b**t for b in BETAS)
    p = jax.tree.map(
        lambda p, m, v: p * (1 - LR * DECAY) - LR * (m / one) / (jnp.sqrt(v / two) + EPS), p, m, v
    )
    return p, m, v, loss


def jax_step(size: dict, model, batch: tuple, approximate: str = "tanh") -> Callable[[], float]:
    """``step()`` trains once from the weights of ``model`` (a minitx Decoder); gives the loss."""
    p = {name: jnp.asarray(array.copy()) for name, array in model.state_dict().items()}
    state = [p, jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), 0]
    ids, targets = (jnp.asarray(x, np.int32) for x in batch)
    fixed = dict(size=tuple(size.items()), tanh=approximate == "tanh")

    def step() -> float:
        state[3] += 1
        *state[:3], loss = _step(*state[:3], float(state[3]), ids, targets, **fixed)
        return float(loss)

    return step
