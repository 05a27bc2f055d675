"""The delta rule by chunks of tokens: a memory that corrects what it holds, in matrix products.

Linear attention adds every value to its state S (m, d_v). The delta rule first asks the state what
it already answers to the key, and adds what is missing, or a part beta of it::

    u_t = beta_t (v_t - S_{t-1}^T k_t)        S_t = S_{t-1} + k_t u_t^T        y_t = S_t^T q_t

This is one step of gradient descent on |S^T k_t - v_t|^2 / 2. As u_t depends on all u before it, a
loop over tokens seems to be needed (``recurrent_``). But within a chunk of C tokens they solve a
triangular system, with A the part of diag(beta) K K^T below the diagonal::

    (I + A) U = diag(beta) (V - K S)   so   U = U_0 - W S,   U_0 = M diag(beta) V,
    M = (I + A)^-1                                            W  = M diag(beta) K

and S + K^T U is the state after it: the product of C factors I - beta k k^T without forming any of
them, which is the WY form of a product of Householder matrices. M, W and U_0 of all chunks are made
at once; from chunk to chunk run two products, forwards and also backwards.
"""

from typing import Any

from minitx import backend
from minitx.autograd import functions as f
from minitx.autograd.fused.common import real_tensors, row_dot
from minitx.autograd.primitive import fused
from minitx.autograd.rules.triangular import solve_triangular
from minitx.autograd.tensor import Tensor, wrap


def _in_chunks(xp: Any, chunk: int, *given: Any) -> list[Any]:
    """(B, H, T, n) -> (B, H, N, C, n); zeros fill the last chunk: they write and ask nothing."""
    found = []
    for x in given:
        b, h, t, n = x.shape
        count = -(-t // chunk)
        if t % chunk:
            whole = xp.zeros((b, h, count * chunk, n), x.dtype)
            whole[:, :, :t] = x
            x = whole
        found.append(x.reshape(b, h, count, chunk, n))
    return found


def _in_a_row(x: Any, length: int) -> Any:
    """(B, H, N, C, n) -> (B, H, T, n)."""
    b, h, count, chunk, n = x.shape
    return x.reshape(b, h, count * chunk, n)[:, :, :length]


def _turned(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _forward(xp, q, k, v, beta, *, chunk):
    length = q.shape[2]
    q, k, v, beta = _in_chunks(xp, chunk, q, k, v, beta[..., None])
    keys = _turned(k)
    held = k @ keys
    held *= beta
    solved = solve_triangular(xp, held, xp.eye(chunk, dtype=q.dtype), True, True)
    rows = solved * _turned(beta)
    w, u = rows @ k, rows @ v
    b, h, count, _, m = q.shape
    states = xp.empty((b, h, count + 1, m, v.shape[-1]), q.dtype)  # before each chunk, and at last
    states[:, :, 0] = 0
    for n in range(count):
        state, written = states[:, :, n], u[:, :, n]
        written -= w[:, :, n] @ state
        xp.add(state, keys[:, :, n] @ written, out=states[:, :, n + 1])
    states = states[:, :, :-1]
    within = q @ keys
    within *= xp.tril(xp.ones((chunk, chunk), q.dtype))
    y = q @ states
    y += within @ u
    return _in_a_row(y, length), (solved, w, u, states, within)


def _backward(xp, g, y, residual, q, k, v, beta, *, chunk):
    solved, w, u, states, within = residual
    length = q.shape[2]
    g, q, k, v, beta = _in_chunks(xp, chunk, g, q, k, v, beta[..., None])
    g_u, asked = _turned(within) @ g, _turned(q) @ g
    afters = xp.zeros_like(asked)  # the cotangent of the state after each chunk
    for n in reversed(range(q.shape[2])):
        after, felt = afters[:, :, n], g_u[:, :, n]
        felt += k[:, :, n] @ after
        if n:
            before = asked[:, :, n] - _turned(w[:, :, n]) @ felt
            xp.add(after, before, out=afters[:, :, n - 1])
    g_step = _turned(solved) @ g_u  # of beta_t times the error
    error = v - k @ states
    error -= xp.tril(k @ _turned(k), -1) @ u
    g_beta = row_dot(xp, g_step, error)
    g_v = beta * g_step
    scores, held = xp.tril(g @ _turned(u)), xp.tril(g_v @ _turned(u), -1)
    g_q = g @ _turned(states) + scores @ k
    g_k = _turned(scores) @ q + u @ _turned(afters)
    g_k -= g_v @ _turned(states) + (held + _turned(held)) @ k
    found = [_in_a_row(x, length) for x in (g_q, g_k, g_v, g_beta)]
    return [*found[:3], found[3][..., 0]]


# ------------------------------------------------------------------------ in ordinary primitives


def naive_delta_rule(q, k, v, beta, *, chunk) -> Tensor:
    """Chunk by chunk: solve for what is written, read, hand the state on."""
    state, beta, parts = _no_state(q, v), beta[..., None], []
    for start in range(0, q.shape[2], chunk):
        here = (slice(None), slice(None), slice(start, start + chunk))
        keys = _turned(k[here])
        missing = beta[here] * (v[here] - k[here] @ state)  # (B, H, C, d_v)
        held = beta[here] * (k[here] @ keys)  # (B, H, C, C), read below its diagonal
        u = f.solve_triangular(held, missing, lower=True, unit_diagonal=True)
        parts.append(q[here] @ state + f.tril(q[here] @ keys) @ u)
        state = state + keys @ u
    return f.concatenate(parts, axis=2) if parts else v


def recurrent_delta_rule(q: Tensor, k: Tensor, v: Tensor, beta: Tensor) -> Tensor:
    """The same function token by token, as it is defined.

    Arguments, result and errors are those of ``delta_rule``.
    """
    q, k, v, beta = _checked(q, k, v, beta)
    state, parts = _no_state(q, v), []
    for t in range(q.shape[2]):
        y, state = delta_step(state, *(x[:, :, t : t + 1] for x in (q, k, v, beta)))
        parts.append(y)
    return f.concatenate(parts, axis=2) if parts else v


def delta_step(
    state: Tensor, q: Tensor, k: Tensor, v: Tensor, beta: Tensor
) -> tuple[Tensor, Tensor]:
    """One token, from the state S (B, H, m, d_v): (y_t, S_t); q, k, v, beta with T = 1."""
    u = beta[..., None] * (v - k @ state)  # (B, H, 1, d_v)
    state = state + _turned(k) * u
    return q @ state, state


def _no_state(q: Tensor, v: Tensor) -> Tensor:
    xp = backend.namespace(q.data)
    return wrap(xp.zeros((*q.shape[:2], q.shape[-1], v.shape[-1]), q.dtype), None)


_delta_rule = fused("delta_rule", _forward, _backward, naive_delta_rule)


def delta_rule(q: Tensor, k: Tensor, v: Tensor, beta: Tensor, chunk: int = 32) -> Tensor:
    """y_t = S_t^T q_t with S_t = (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T, S_0 = 0.

    q, k (B, H, T, m); v (B, H, T, d_v); beta (B, H, T), how much of a step is taken
    -> (B, H, T, d_v). Nothing grows as long as 0 <= beta |k|^2 <= 2; with beta |k|^2 = 1 the state
    answers k with v exactly. Work and memory grow linearly with T; ``chunk`` changes the speed,
    and the result by rounding.

    Raises ValueError for shapes that do not fit, and for a chunk below 1.

    Source: Yang et al., "Parallelizing Linear Transformers with the Delta Rule over Sequence
    Length" (2024): their S is our S^T, T = M diag(beta), U = U_0.
    """
    if chunk < 1:
        raise ValueError(f"delta_rule expected a chunk of 1 token or more, got {chunk}")
    q, k, v, beta = _checked(q, k, v, beta)
    return _delta_rule(q, k, v, beta, chunk=max(1, min(int(chunk), q.shape[2])))


def _checked(q: Any, k: Any, v: Any, beta: Any) -> list[Tensor]:
    q, k, v, beta = given = real_tensors(q, k, v, beta)
    shapes = [x.shape for x in given]
    fits = q.ndim == v.ndim == 4 and q.shape == k.shape and q.shape[:3] == v.shape[:3] == beta.shape
    if not fits:
        raise ValueError(
            "delta_rule expected q and k (B, H, T, m), v (B, H, T, d_v) and beta (B, H, T), "
            f"got {', '.join(map(str, shapes))}"
        )
    return given
