# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Arrays: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Let `x` be an array of shape `(2, 3, 4)` whose 24 numbers lie in memory row after row. The
# **stride** of an axis says how many entries of memory one step along it passes. With a pencil:
# what are the three strides, counted in entries and not in bytes, of
#
# 1. `x`
# 2. `x.swapaxes(1, 2)`
# 3. `x[:, ::2, 1:]`
# 4. `np.broadcast_to(x[:, :1], (2, 6, 4))`
#
# <details><summary>Hint 1</summary>
#
# The last axis of `x` runs fastest: its stride is 1. A step along axis 1 passes a row of 4.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# None of the other three moves a number. A slice with a step multiplies a stride; a copy that is
# none has stride 0.
#
# </details>


# %%
def by_hand():
    """Four lists of three strides, in entries."""
    # BEGIN SOLUTION
    whole = [12, 4, 1]
    swapped = [12, 1, 4]
    sliced = [12, 8, 1]
    broadcast = [12, 0, 1]
    return whole, swapped, sliced, broadcast
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.arrays import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {distances}
#
# `x` holds $N$ points of $D$ numbers, `(N, D)`, and `y` holds $M$ points, `(M, D)`. Return all
# squared distances, `(N, M)`: entry $(i, j)$ is $\sum_d (x_{id} - y_{jd})^2$. No loop; and no
# array of $N \times M \times D$ numbers, for which the last question has no room.
#
# <details><summary>Hint 1</summary>
#
# Multiply out: $(a - b)^2 = a^2 + b^2 - 2ab$. The sum over $d$ of the last term, for all $i$ and
# $j$, is a matrix product.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The first term has the shape `(N,)` and should be the same along each row: `[:, None]`.
#
# </details>


# %%
def distances(x, y):
    """Squared distances: x (N, D), y (M, D), returns (N, M)."""
    # BEGIN SOLUTION
    squares_of_x, squares_of_y = (x * x).sum(axis=1), (y * y).sum(axis=1)
    return squares_of_x[:, None] + squares_of_y - 2 * x @ y.T  # (N, M)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.arrays import check_distances

check_distances(distances)

# %% [markdown]
# ## {variance}
#
# The variance is the mean of the squared distances from the mean (divide by the number of
# entries). `x` is float32, `(..., n)`; return the variance of each row along the last axis, in
# float32 as well. It should be right to three digits also when the numbers lie around 10,000. Write
# it yourself, without `np.var`.
#
# <details><summary>Hint 1</summary>
#
# There are two formulas, $\overline{(x - \bar x)^2}$ and $\overline{x^2} - \bar x^2$. They are
# equal for real numbers.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# float32 has about 7 digits. How many of them has $10{,}001^2$ before the decimal point?
#
# </details>


# %%
def variance(x):
    """The variance of each row: x (..., n) float32, returns (...) float32."""
    # BEGIN SOLUTION
    centred = x - x.mean(axis=-1, keepdims=True)
    return (centred * centred).mean(axis=-1)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.arrays import check_variance

check_variance(variance)

# %% [markdown]
# ## {prediction}
#
# `x` has the shape `(2, 3, 4)`. Is each of these a `"view"`, which shares the memory of `x`, or a
# `"copy"`? Write down six words, then look.
#
# 1. `x.T`
# 2. `x[1:, ::-1]`
# 3. `x.reshape(6, 4)`
# 4. `x.swapaxes(1, 2).reshape(2, 12)`
# 5. `x[[0, 1]]`
# 6. `x[x > 0]`
#
# <details><summary>Hint</summary>
#
# A view needs one stride for each axis, whatever it is, and one place to begin.
#
# </details>


# %%
def prediction():
    """Six words, each "view" or "copy"."""
    # BEGIN SOLUTION
    turned_and_sliced = ["view", "view"]
    reshaped = ["view", "copy"]
    picked_one_by_one = ["copy", "copy"]
    return turned_and_sliced + reshaped + picked_one_by_one
    # END SOLUTION


# %% [markdown]
# Only then run this. Is it as you expected? If not, change your prediction once you know why.


# %%
def show_sharing():
    """Whether each of the six shares memory with x."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    six = (x.T, x[1:, ::-1], x.reshape(6, 4), x.swapaxes(1, 2).reshape(2, 12), x[[0, 1]], x[x > 0])
    print([bool(np.shares_memory(x, each)) for each in six])


show_sharing()

# %% tags=["check"]
from minitx.checks.arrays import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {windows}
#
# Row $t$ of the result is the window `x[t], x[t + 1], ..., x[t + width - 1]` of an array of $T$
# float64 numbers, and there are $T - \text{width} + 1$ rows. Copied, the windows of a million
# numbers with a width of a thousand would fill 7.4 GiB. Make them without copying a number, so
# that nobody can write into them by mistake. Is there a way to say it with strides?
#
# <details><summary>Hint 1</summary>
#
# One step down and one step to the right both pass one entry of `x`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)` takes strides in bytes;
# `x` knows its own, `x.strides`. It checks nothing, so mind the last row.
#
# </details>


# %%
def windows(x, width):
    """All windows of x (T,), as a read-only view (T - width + 1, width)."""
    # BEGIN SOLUTION
    (step,) = x.strides
    shape = (len(x) - width + 1, width)
    return np.lib.stride_tricks.as_strided(x, shape, (step, step), writeable=False)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.arrays import check_windows

check_windows(windows)
