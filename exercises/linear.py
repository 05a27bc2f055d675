# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Linear attention: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.
#
# Linear attention weighs token $j$ for token $t$ by a product of **features**, $\phi(q_t) \cdot
# \phi(k_j)$, in place of $e^{q_t \cdot k_j}$. In these exercises `q` and `k` are features already,
# `(T, m)`, and `v`, `(T, e)`, are the values. Sums of $k_j v_j^\top$ can then be taken before any
# query is known:
#
# $$\sum_j (q_t \cdot k_j)\, v_j = S^\top q_t, \qquad S = \sum_j k_j v_j^\top .$$

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Take a pencil. Three tokens, features of width 2, each hears itself and what came before:
#
# | token | features of the query | of the key | value |
# |---|---|---|---|
# | 1 | (1, 3) | (2, 0) | (3, 6) |
# | 2 | (3, 1) | (1, 1) | (0, 9) |
# | 3 | (1, 1) | (0, 4) | (4, 2) |
#
# Write down the state $S = \sum_j k_j v_j^\top$ (2 by 2) and the sum $z = \sum_j k_j$ after all
# three tokens; then the three outputs, $(S_t^\top q_t) / (z_t \cdot q_t)$ with the state as it was
# after token $t$. Write fractions as `11 / 4`.
#
# <details><summary>Hint 1</summary>
#
# $k_1 v_1^\top$ has the rows $2 \cdot (3, 6)$ and $0 \cdot (3, 6)$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The second output is a mean of the first two values, with weights 6 and 4.
#
# </details>


# %%
def by_hand():
    """The state S, 2 rows of 2; the sum z, 2 numbers; the outputs, 3 rows of 2."""
    # BEGIN SOLUTION
    state = [[6, 21], [16, 17]]
    weights = [3, 5]
    outputs = [[3, 6], [9 / 5, 36 / 5], [11 / 4, 19 / 4]]
    return state, weights, outputs
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.linear import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {whole}
#
# Without a mask, every query hears all keys. `q` `(T, m)` and `k` `(S, m)` are positive features,
# `v` is `(S, e)`. Return the means of the values, `(T, e)`: the weight of key $j$ for query $t$ is
# $q_t \cdot k_j$ over the sum of all of query $t$'s weights. It will be asked for 100,000 tokens.
#
# <details><summary>Hint 1</summary>
#
# $(q k^\top) v = q (k^\top v)$. Which of the two makes a large matrix?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The sum of a query's weights is $q_t \cdot \sum_j k_j$.
#
# </details>


# %%
def linear_attention(q, k, v):
    """Means of the values with weights in proportion to q · k; returns (T, e)."""
    # BEGIN SOLUTION
    sums = q @ (k.T @ v)  # (T, e)
    weights = q @ k.sum(axis=0)  # (T,)
    return sums / weights[:, None]
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.linear import check_whole

check_whole(linear_attention)

# %% [markdown]
# ## {chunks}
#
# Now token $t$ hears $j \le t$ alone, and the sums are not divided: $y_t = \sum_{j \le t} (q_t
# \cdot k_j)\, v_j$. Go through the sequence in pieces of `chunk` tokens. Within a piece use the
# matrix of scores, with a mask; what came before the piece is in a state `(m, e)`. It should work
# for any length and any chunk.
#
# <details><summary>Hint 1</summary>
#
# `np.tril` sets what is above the diagonal to 0.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# For each piece: its masked scores times its values, plus its queries times the state. Then, and
# only then, add the piece's $k^\top v$ to the state.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `range(0, T, chunk)` begins a last piece that may be short; slices that reach beyond the end are
# cut off by themselves.
#
# </details>


# %%
def by_chunks(q, k, v, chunk):
    """The sum over j <= t of (q_t · k_j) v_j, piece by piece; q, k (T, m), v (T, e)."""
    # BEGIN SOLUTION
    out, state = np.zeros((len(q), v.shape[1])), np.zeros((k.shape[1], v.shape[1]))
    for start in range(0, len(q), chunk):
        piece = slice(start, start + chunk)
        within = np.tril(q[piece] @ k[piece].T) @ v[piece]
        out[piece] = within + q[piece] @ state
        state = state + k[piece].T @ v[piece]
    return out
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.linear import check_chunks

check_chunks(by_chunks)

# %% [markdown]
# ## {gradients}
#
# The same sums, $y_t = S_t^\top q_t$ with $S_t = \sum_{j \le t} k_j v_j^\top$. Somebody tells you
# $g_t$, the gradient of a loss by $y_t$, as rows of `g` `(T, e)`. Return its gradients by `q`,
# `k` and `v`. A loop over tokens is welcome; a matrix `(T, T)` is not needed.
#
# <details><summary>Hint 1</summary>
#
# The pair $(t, j)$ adds $(q_t \cdot k_j)(v_j \cdot g_t)$ to the loss. Take its derivatives, then
# sum over the other index.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $dq_t = S_t\, g_t$. For keys and values you need $R_j = \sum_{t \ge j} q_t g_t^\top$: walk from
# the last token to the first.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# $dk_j = R_j v_j$ and $dv_j = R_j^\top k_j$.
#
# </details>


# %%
def gradients(q, k, v, g):
    """dq, dk (T, m) and dv (T, e), from the gradient g (T, e) by the causal sums."""
    # BEGIN SOLUTION
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    state = np.zeros((q.shape[1], v.shape[1]))
    for t in range(len(q)):
        state = state + np.outer(k[t], v[t])
        dq[t] = state @ g[t]
    asked = np.zeros_like(state)
    for j in reversed(range(len(q))):
        asked = asked + np.outer(q[j], g[j])
        dk[j], dv[j] = asked @ v[j], asked.T @ k[j]
    return dq, dk, dv
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.linear import check_gradients

check_gradients(gradients)

# %% [markdown]
# ## {prediction}
#
# Store $n$ pairs of a key (a random direction, $m$ numbers) and a value (a random direction, $e$
# numbers), all of length 1, in one matrix: $S = \sum_j k_j v_j^\top$. Ask it for key $i$: $S^\top
# k_i = v_i + \text{noise}$. What becomes of the mean square of the noise if there are **twice as
# many pairs**, if the **keys are twice as wide**, if the **values are twice as wide**? There are
# many more pairs than one. Say `"doubles"`, `"stays"` or `"halves"` for each, before you run it.
#
# <details><summary>Hint</summary>
#
# The noise is $\sum_{j \ne i} (k_j \cdot k_i)\, v_j$. The mean square of one number of a random
# direction in $m$ dimensions is $1/m$.
#
# </details>


# %%
def prediction():
    """Three words: for twice as many pairs, keys twice as wide, values twice as wide."""
    # BEGIN SOLUTION
    return "doubles", "halves", "stays"
    # END SOLUTION


# %% [markdown]
# Then run it:


# %%
def noise(n, m, e, rng):
    """The mean square of what is heard beside the value that was asked for."""
    k, v = rng.normal(size=(n, m)), rng.normal(size=(n, e))
    k, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (k, v))
    return np.mean(((k @ (k.T @ v) - v) ** 2).sum(axis=1))


for n, m, e in ((200, 50, 40), (400, 50, 40), (200, 100, 40), (200, 50, 80)):
    print(f"{n} pairs, keys {m}, values {e}: {noise(n, m, e, np.random.default_rng(0)):.2f}")

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.linear import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {features}
#
# Which features come near to a softmax? Write `features(x)`, from rows `x` `(T, 2)` of length at
# most 1 to rows of at most 64 numbers, so that the weights $\phi(q) \cdot \phi(k_j)$ of eight keys,
# divided by their sum, are within 0.01 of those of a softmax of $q \cdot k_j$. No product may be
# negative. Queries and keys go through the same function. Begin with any that passes; then ask how
# few features will do.
#
# <details><summary>Hint 1</summary>
#
# $e^x = 1 + x + x^2/2 + x^3/6 + \dots$
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $(q \cdot k)^2 = \sum_{ab} (q_a q_b)(k_a k_b)$: the four products of two coordinates are features.
# What do you multiply them by to get $(q \cdot k)^2 / 2$?
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Two of those four are equal: $x_1 x_2$ and $x_2 x_1$ can be one feature, times $\sqrt 2$.
#
# </details>


# %%
def features(x):
    """φ(x), (T, m) for x (T, 2), with φ(q) · φ(k) near to exp(q · k)."""
    # BEGIN SOLUTION
    a, b = x.T
    # the powers of a1 b1 + a2 b2 with their binomial coefficients, each over its factorial
    parts = [
        (a**i) * (b ** (n - i)) / np.sqrt(np.prod([1.0, *range(1, i + 1), *range(1, n - i + 1)]))
        for n in range(5)
        for i in range(n + 1)
    ]
    return np.stack(parts, axis=1)  # (T, 15)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.linear import check_features

check_features(features)
