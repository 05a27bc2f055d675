# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # The block: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# One token, $x = (1, 5)$, and a sublayer $f(u) = 2u$. The norm takes off the mean and divides by
# the root of the mean square of what is left (no weight, no bias, no $\epsilon$). With a pencil:
# what are pre-norm $x + f(\operatorname{norm}(x))$, post-norm $\operatorname{norm}(x + f(x))$ and
# output norm $x + \operatorname{norm}(f(x))$?
#
# <details><summary>Hint</summary>
#
# The mean of 1 and 5 is 3; what is left is $(-2, 2)$, with the mean square 4.
#
# </details>


# %%
def by_hand():
    """Three pairs of numbers: pre-norm, post-norm, output norm."""
    # BEGIN SOLUTION
    pre = (-1, 7)
    post = (-1, 1)
    output = (0, 6)
    return pre, post, output
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.block import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {layer_norm}
#
# For each token of `x`, `(..., D)`: take off its mean, divide by
# $\sqrt{\text{variance} + \epsilon}$, multiply by `weight` and add `bias`, both `(D,)`. The
# variance is the mean of the squares of what is left after the mean.
#
# <details><summary>Hint 1</summary>
#
# `x.mean(axis=-1, keepdims=True)` keeps an axis of size 1, so that it broadcasts against `x`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `eps` is added to the variance, under the root.
#
# </details>


# %%
def layer_norm(x, weight, bias, eps):
    """(x - mean) / sqrt(var + eps) * weight + bias for each token; x and result (..., D)."""
    # BEGIN SOLUTION
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + eps) * weight + bias
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.block import check_layer_norm

check_layer_norm(layer_norm)

# %% [markdown]
# ## {pre_norm}
#
# `attention`, `mlp` and `norm` are functions from `(T, D)` to `(T, D)`. Join them to a pre-norm
# block: attention first, then the channel mixer; each hears the stream through the norm, and what
# it says is added to the stream.
#
# <details><summary>Hint</summary>
#
# Call the stream between the two `h`. The channel mixer hears `norm(h)`.
#
# </details>


# %%
def block(x, attention, mlp, norm):
    """A pre-norm block; x and result (T, D)."""
    # BEGIN SOLUTION
    h = x + attention(norm(x))
    return h + mlp(norm(h))
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.block import check_pre_norm

check_pre_norm(block)

# %% [markdown]
# ## {prediction}
#
# Let every sublayer be a random matrix that keeps the length of what it hears, on average, and
# let there be more and more of them. How does the length of the stream grow with the depth: is
# it `"constant"`, does it grow like the `"root"` of the depth, or is growth `"exponential"`?
# First write down what you expect for $x + f(\operatorname{norm}(x))$,
# $\operatorname{norm}(x + f(x))$ and $x + f(x)$, in this order.
#
# <details><summary>Hint</summary>
#
# Lengths of independent random vectors add up as variances do: squares are added.
#
# </details>


# %%
def prediction():
    """Three words, each "constant", "root" or "exponential"."""
    # BEGIN SOLUTION
    return "root", "constant", "exponential"
    # END SOLUTION


# %% [markdown]
# Then run it.

# %%
from minitx.checks.block.prediction import CASES, lengths

for case, sizes in zip(CASES, lengths(np.random.default_rng(0))):
    print(f"{case:15}", *(f"{sizes[depth - 1]:11.3g}" for depth in (4, 16, 64)))

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.block import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {product}
#
# A channel mixer whose activation is the square of ReLU hears two numbers $x$ and $y$ and should
# say their product, for all signs. Choose its weights: `up`, `(2, F)`, and `down`, `(F,)`, with
# any number $F$ of hidden units; no biases. It computes `np.maximum([x, y] @ up, 0) ** 2 @ down`.
#
# <details><summary>Hint 1</summary>
#
# $(x + y)^2 - (x - y)^2 = 4xy$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $s^2 = \operatorname{relu}(s)^2 + \operatorname{relu}(-s)^2$.
#
# </details>


# %%
def product():
    """up (2, F) and down (F,) of a mixer that multiplies."""
    # BEGIN SOLUTION
    up = np.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]])
    down = np.array([1.0, 1.0, -1.0, -1.0]) / 4
    return up, down
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.block import check_product

check_product(product)
