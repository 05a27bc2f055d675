# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Attention: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.
#
# In these exercises a token has three rows of numbers: a **query** (what it looks for) and a
# **key** (what it is found by), both of width $d$, and a **value** (what it has to say). Queries
# are the rows of `q`, keys and values the rows of `k` and `v`. Token $t$ *hears* token $s$ with a
# weight, and its output is the mean of the values with these weights:
#
# $$\text{output}_t = \sum_s w_{ts}\, v_s, \qquad
# w_{ts} = \frac{e^{a_{ts}}}{\sum_{s'} e^{a_{ts'}}}, \qquad
# a_{ts} = \frac{q_t \cdot k_s}{\sqrt d}.$$
#
# The step from the scores $a$ to the weights $w$ is called **softmax**. It is given:

# %%
import numpy as np


def softmax(scores, axis=-1):
    """Positive numbers that sum to 1 along axis, in the proportions of exp(scores)."""
    parts = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


# %% [markdown]
# ## {by_hand}
#
# Take a pencil, not the computer. Three tokens, $d = 4$:
#
# | token | query | key | value |
# |---|---|---|---|
# | 0 | (1, 0, 0, 0) | (0, 0, 0, 0) | (12, 0) |
# | 1 | (2, 0, 0, 0) | (0, 3, 0, 0) | (0, 24) |
# | 2 | (0, 0, 0, 0) | (2 ln 2, 0, 0, 0) | (12, 0) |
#
# Work out the scores, the weights (3 queries by 3 keys) and the outputs (3 tokens by 2 numbers),
# using $e^{\ln 2} = 2$. Everything comes out as a fraction: write `1 / 7` rather than a rounded
# number.
#
# <details><summary>Hint 1</summary>
#
# The first row of scores is $(0, 0, 2\ln 2) / \sqrt 4$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# So its exponentials are 1, 1 and 2, and their sum is 4.
#
# </details>


# %%
def by_hand():
    """The weights, 3 rows of 3 numbers, and the outputs, 3 rows of 2 numbers."""
    # BEGIN SOLUTION
    weights = [
        [1 / 4, 1 / 4, 2 / 4],
        [1 / 6, 1 / 6, 4 / 6],
        [1 / 3, 1 / 3, 1 / 3],
    ]
    outputs = [
        [9, 6],
        [10, 4],
        [8, 8],
    ]
    return weights, outputs
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.attention import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {attention}
#
# Now as array operations, without a loop. `q` is `(T, d)`, `k` is `(S, d)` and `v` is `(S, e)`:
# there may be more or fewer keys than queries, and values may have a width of their own. The
# result is `(T, e)`. Let it work as well when there are more axes in front, the same for all
# three, such as `(2, 3, T, d)` for two texts with three heads each.
#
# <details><summary>Hint 1</summary>
#
# All scores at once are a matrix product of the queries with the transposed keys, `(T, S)`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `k.T` turns round *all* axes of an array. `np.swapaxes(k, -1, -2)` exchanges the last two.
#
# </details>


# %%
def attention(q, k, v):
    """softmax(q kᵀ / √d) v; q (..., T, d), k (..., S, d), v (..., S, e), returns (..., T, e)."""
    # BEGIN SOLUTION
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])  # (..., T, S)
    return softmax(scores) @ v
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.attention import check_attention

check_attention(attention)

# %% [markdown]
# ## {masks}
#
# Two rules say who may hear whom. **Causal**: token $t$ may hear itself and what came before, $s
# \le t$, so that a model which predicts the next token cannot peek. **Padding**: texts of a batch
# differ in length and are filled up with meaningless tokens, which nobody may hear. The boolean
# array `real`, `(B, T)`, is True where a token is a real one.
#
# `q` and `k` are `(B, T, d)`, `v` is `(B, T, e)`. Apply both rules: token $t$ of text $b$ hears
# token $s$ only if $s \le t$ and `real[b, s]`. The weights over the tokens that it may hear sum
# to 1; the weight on every other is exactly 0. If it may hear nobody, its output is zeros. Return
# `(B, T, e)`.
#
# <details><summary>Hint 1</summary>
#
# Build one boolean array `allowed`, `(B, T, T)`, with `True` for a pair that may meet. `np.tri(T,
# dtype=bool)` is the causal rule; for the other, ask which axis of `(B, T, T)` the keys are.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A score of $-\infty$ becomes a weight of 0: `np.where(allowed, scores, -np.inf)`, before the
# softmax.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# A row of nothing but $-\infty$ gives NaN. `allowed.any(axis=-1, keepdims=True)` says which rows
# are not like that; let the others have scores of 0 first and weights of 0 afterwards.
#
# </details>


# %%
def masked_attention(q, k, v, real):
    """Attention over real tokens that are not in the future; real (B, T) is True for a token."""
    # BEGIN SOLUTION
    T, d = q.shape[-2:]
    allowed = np.tri(T, dtype=bool) & real[:, None, :]  # (B, T, T)
    somebody = allowed.any(axis=-1, keepdims=True)  # (B, T, 1)
    scores = np.where(allowed, q @ np.swapaxes(k, -1, -2) / np.sqrt(d), -np.inf)
    weights = np.where(somebody, softmax(np.where(somebody, scores, 0)), 0)
    return weights @ v
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.attention import check_masks

check_masks(masked_attention)

# %% [markdown]
# ## {heads}
#
# One query can ask one thing. So a token's $D$ numbers are cut into $H$ pieces of $d = D / H$,
# and each piece, a **head**, does attention of its own: head $h$ owns the columns $hd, \dots,
# (h+1)d - 1$ of `q`, `k` and `v`. The outputs of the heads are put side by side again, in the
# same order.
#
# All three arrays are `(B, T, D)`, and so is the result. A loop over heads would do. Here is the
# usual way: turn `(B, T, D)` into `(B, H, T, d)`, do plain attention on that, and turn it back.
# Mind the order of the numbers.
#
# <details><summary>Hint 1</summary>
#
# `reshape` keeps the order of the numbers in memory, so it can cut $D$ into $(H, d)$ where it
# stands, and nothing more. Moving an axis is `swapaxes`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In: `(B, T, D)`, reshape to `(B, T, H, d)`, swap to `(B, H, T, d)`. Out: the same steps
# backwards.
#
# </details>


# %%
def multi_head(q, k, v, num_heads):
    """Attention in num_heads pieces of the width D; q, k, v and the result (B, T, D)."""
    # BEGIN SOLUTION
    B, T, D = q.shape
    d = D // num_heads
    q, k, v = (x.reshape(B, T, num_heads, d).swapaxes(1, 2) for x in (q, k, v))  # (B, H, T, d)
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(d)  # (B, H, T, T)
    return (softmax(scores) @ v).swapaxes(1, 2).reshape(B, T, D)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.attention import check_heads

check_heads(multi_head)

# %% [markdown]
# ## {prediction}
#
# Why $\sqrt d$? Let the numbers in queries and keys be independent, with mean 0 and variance 1,
# and let there be 32 keys. Divide the scores $q \cdot k$ by **1** (no scale), by **$\sqrt d$**,
# or by **$d$**, and let the width $d$ grow without end. Over how many of the 32 keys does a query
# then spread its weight?
#
# - `"one"`: nearly all weight goes to one key.
# - `"some"`: several keys share it, unequally, however large $d$ is.
# - `"all"`: all keys get the same.
#
# First write down what you expect, for the divisors 1, $\sqrt d$ and $d$ in this order.
#
# <details><summary>Hint</summary>
#
# $q \cdot k$ is a sum of $d$ products. Variances of independent numbers add up.
#
# </details>


# %%
def prediction():
    """Three words, each "one", "some" or "all": for the divisors 1, √d and d."""
    # BEGIN SOLUTION
    return "one", "some", "all"
    # END SOLUTION


# %% [markdown]
# Then run it. The number of keys heard is 2 to the power of the weights' entropy in bits: it is 1
# if one key takes all, and 32 if all share alike.


# %%
def keys_heard(d, divisor, rng, keys=32, queries=200):
    """Over how many keys a query spreads its weight, on average."""
    q, k = rng.normal(size=(queries, d)), rng.normal(size=(keys, d))
    weights = softmax(q @ k.T / divisor)  # (queries, keys)
    entropy = -np.sum(weights * np.log2(np.maximum(weights, 1e-300)), axis=-1)
    return np.mean(2**entropy)


print("    d     by 1  by √d   by d")
for d in (1, 4, 16, 64, 256, 1024):
    divisors = (1, np.sqrt(d), d)
    row = [keys_heard(d, divisor, np.random.default_rng(0)) for divisor in divisors]
    print(f"{d:5}   " + "".join(f"{number:6.1f} " for number in row))

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.attention import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {previous_token}
#
# Attention has no idea of order: shuffle the keys together with their values, and nothing
# changes. Order has to come in through the numbers. Make queries and keys of your own, both `(T,
# d)` with any width $d$ that you like, so that in plain attention (no mask) every token $t \ge 1$
# puts at least 0.99 of its weight on token $t - 1$. What token 0 does is up to you. It must work
# for every length `T` that is asked.
#
# There are many ways. Begin with a wasteful one. Then ask how small $d$ can be.
#
# <details><summary>Hint 1</summary>
#
# Give each position a key that is unlike all others, and query $t$ the looks of key $t - 1$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The softmax turns a lead of $a$ in score into a factor of $e^a$. Long queries make large leads.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# For a small $d$, think of the hand of a clock.
#
# </details>


# %%
def previous_token(T):
    """Queries and keys, (T, d) each, with which token t finds token t - 1."""
    # BEGIN SOLUTION
    angle = 2 * np.pi * np.arange(T)[:, None] / T  # (T, 1): a clock with T hours
    step = 2 * np.pi / T
    keys = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)  # (T, 2)
    queries = np.concatenate([np.cos(angle - step), np.sin(angle - step)], axis=1)
    return 10 * T**2 * queries, keys  # neighbours on the clock differ by about 1 / T**2 in score
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.attention import check_previous_token

check_previous_token(previous_token)
