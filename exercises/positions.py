# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Positions: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.
#
# Throughout, $t$ or $i$ is the place of a query, $s$ or $j$ that of a key, both counted from 0,
# and a **distance** is key minus query: the token before is at $-1$.

# %%
import numpy as np


def softmax(scores, axis=-1):
    """Positive numbers that sum to 1 along axis, in the proportions of exp(scores)."""
    parts = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


# %% [markdown]
# ## {by_hand}
#
# Take a pencil, not the computer. Three tokens under a causal mask. By content, every query gives
# key 0 the score $\ln 9$ and the keys 1 and 2 the score 0. ALiBi with the slope $\ln 3$ takes
# $\ln 3$ off a score for each step between query and key. The values are 28, 0 and 56.
#
# Work out the weights (3 queries by 3 keys) and the three outputs. Everything comes out as a
# fraction: write `1 / 7` rather than a rounded number.
#
# <details><summary>Hint 1</summary>
#
# Adding to a score multiplies its exponential: $\ln 9$ is a factor of 9, one step away is a
# factor of $\tfrac13$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Token 1 hears key 0 with $9 \cdot \tfrac13 = 3$ and itself with 1, of a sum of 4.
#
# </details>


# %%
def by_hand():
    """The weights, 3 rows of 3 numbers, and the outputs, 3 numbers."""
    # BEGIN SOLUTION
    weights = [
        [1, 0, 0],
        [3 / 4, 1 / 4, 0],
        [3 / 7, 1 / 7, 3 / 7],
    ]
    outputs = [28, 21, 36]
    return weights, outputs
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.positions import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {rotary}
#
# `x` is `(..., T, d)` with an even `d`, and `places` is `(T,)`: where the tokens are. They need
# not be 0, 1, 2, ... and need not be whole numbers. The numbers $i$ and $i + d/2$ of a token are
# a pair, for $i = 0, \dots, d/2 - 1$. Turn the pair $(a, b)$ of a token at place $t$ to
#
# $$(a \cos \alpha - b \sin \alpha,\ a \sin \alpha + b \cos \alpha), \qquad
# \alpha = t \cdot 10000^{-2i/d}.$$
#
# Return an array of the shape of `x`, without a loop over tokens or pairs.
#
# <details><summary>Hint 1</summary>
#
# The angles are an array `(T, d / 2)`: places as a column times speeds as a row.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# All first partners are `x[..., : d // 2]`, all second ones `x[..., d // 2 :]`; both fit
# `(T, d / 2)` by broadcasting. `np.concatenate(..., axis=-1)` puts the halves together.
#
# </details>


# %%
def rotary(x, places):
    """x (..., T, d) with each pair turned by its place in places (T,); the shape of x."""
    # BEGIN SOLUTION
    half = x.shape[-1] // 2
    angle = places[:, None] * 10000.0 ** (-np.arange(half) / half)  # (T, d / 2)
    a, b = x[..., :half], x[..., half:]
    first = a * np.cos(angle) - b * np.sin(angle)
    second = a * np.sin(angle) + b * np.cos(angle)
    return np.concatenate([first, second], axis=-1)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.positions import check_rotary

check_rotary(rotary)

# %% [markdown]
# ## {distances}
#
# Shaw's positions have a vector $a_n$ for every distance from $-r$ to $r$, where $r$ is called
# `reach`; what is farther away uses the last vector on its side. They are the rows of `table`,
# `(2 * reach + 1, d)`, from $-r$ to $r$. What the position adds to the score of query $i$ and key
# $j$ is
#
# $$q_i \cdot a_{n}, \qquad n = j - i \text{, clipped to } -r, \dots, r.$$
#
# `q` is `(T, d)`; return all these products, `(T, T)`, without the scale $1 / \sqrt d$. Can you do
# it without an array of the size `(T, T, d)`?
#
# <details><summary>Hint 1</summary>
#
# `np.arange(T) - np.arange(T)[:, None]` has all distances; `np.clip` keeps them within reach.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `q @ table.T` is `(T, 2 * reach + 1)`: the product of every query with every vector. Out of row
# $i$ you need one number for each key: `np.take_along_axis(products, rows, axis=1)`.
#
# </details>


# %%
def distance_scores(q, table, reach):
    """q_i · table[distance], for all i and j: q (T, d), table (2 reach + 1, d), returns (T, T)."""
    # BEGIN SOLUTION
    T = len(q)
    distance = np.arange(T) - np.arange(T)[:, None]  # (T, T), key minus query
    rows = np.clip(distance, -reach, reach) + reach
    return np.take_along_axis(q @ table.T, rows, axis=1)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.positions import check_distances

check_distances(distance_scores)

# %% [markdown]
# ## {prediction}
#
# Twelve **equal** tokens go through one layer of attention with random weights. Are the twelve
# outputs the `"same"`, or `"different"`? First write down what you expect, in this order:
#
# 1. sinusoids are added to the tokens at the input
# 2. rotary positions, and every token hears every other
# 3. ALiBi under a causal mask
# 4. Shaw: a vector for each distance beside the key, and another one beside the value
# 5. ALiBi, and then the weights are multiplied by a random factor for each distance (URPE)
#
# <details><summary>Hint</summary>
#
# Whatever the weights of a row are: what do they add up to, and what do they mix?
#
# </details>


# %%
def prediction():
    """Five words, each "same" or "different"."""
    # BEGIN SOLUTION
    return "different", "same", "same", "different", "different"
    # END SOLUTION


# %% [markdown]
# Then run it: the largest difference between the output of any token and that of the first.

# %%
from minitx.checks.positions.prediction import CASES, spreads

for case, spread in zip(CASES, spreads(np.random.default_rng(0))):
    print(f"{spread:8.1g}  {case}")

# %% [markdown]
# A number like `2e-16` is rounding. Did you expect the rest? If not, change your prediction only
# once you know why.

# %% tags=["check"]
from minitx.checks.positions import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {multiplier}
#
# $T$ equal tokens, and every value is the number 1. All scores are equal, so that each weight is
# $1/T$. Then come URPE's factors: the weight of key $s$ for query $t$ is multiplied by $c(s - t)$,
# and the outputs are
#
# $$y_t = \sum_{s=0}^{T-1} \frac1T\, c(s - t).$$
#
# Given any `target`, `(T,)`, find factors with which $y_t$ is `target[t]`. Return them as an array
# `(2T - 1,)`, from $c(-(T-1))$ to $c(T-1)$. There are many answers.
#
# <details><summary>Hint 1</summary>
#
# You may set all factors of the future, $c(1), \dots, c(T-1)$, to 0. What is $y_0$ then?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Then $y_t - y_{t-1}$ is a single factor over $T$. Which?
#
# </details>


# %%
def factors(target):
    """c(-(T - 1)), ..., c(T - 1) with which T equal tokens say target (T,)."""
    # BEGIN SOLUTION
    T = len(target)
    past = T * np.diff(target, prepend=0.0)  # c(0), c(-1), ..., c(-(T - 1))
    return np.concatenate([past[::-1], np.zeros(T - 1)])
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.positions import check_multiplier

check_multiplier(factors)
