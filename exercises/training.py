# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Training: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Two weights, $w = (2, -1)$, and the gradient $g = (0.03, -12)$. Where are they after the first
# step of SGD, of Adam, and of AdamW? The rate is $\eta = 0.1$; AdamW has the decay
# $\lambda = 0.5$; Adam has $\beta_1 = 0.9$, $\beta_2 = 0.999$ and $\epsilon = 0$.
#
# <details><summary>Hint 1</summary>
#
# Before you compute anything of Adam: what are $m'$ and $v'$ after one step, in letters?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# AdamW takes the share $\eta \lambda$ off the old weight, and does what Adam does.
#
# </details>


# %%
def by_hand():
    """Three pairs of weights: after SGD, after Adam, after AdamW."""
    # BEGIN SOLUTION
    sgd = (1.997, 0.2)
    adam = (1.9, -0.9)
    adamw = (1.8, -0.85)
    return sgd, adam, adamw
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.training import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {epoch}
#
# A model with the weights `w`, `(D,)`, guesses `x @ w`; its loss on some rows is *half the mean*
# of the squared errors. `x` is `(N, D)` and `y` is `(N,)`. `batches` is a list of arrays of row
# numbers. Make one step of SGD for each batch, in their order, and return the last weights.
#
# <details><summary>Hint 1</summary>
#
# The gradient for one row is its error, $x \cdot w - y$, times the row.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# For a batch of $n$ rows: `error @ x[rows] / n`, with errors of shape `(n,)`.
#
# </details>


# %%
def epoch(w, x, y, batches, lr):
    """The weights (D,) after one step of SGD for each batch."""
    # BEGIN SOLUTION
    for rows in batches:
        error = x[rows] @ w - y[rows]
        w = w - lr * (error @ x[rows]) / len(rows)
    return w
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.training import check_epoch

check_epoch(epoch)

# %% [markdown]
# ## {adamw}
#
# One step of AdamW for the weights `w`, `(N,)`, with the gradient `g`. `m` and `v` are the means
# that the step before has kept, and arrays of zeros at first; `t` is the number of this step,
# counted from 1. Let $\beta_1 = 0.9$, $\beta_2 = 0.999$ and $\epsilon = 10^{-8}$. Return the new
# `w, m, v`.
#
# <details><summary>Hint 1</summary>
#
# Four lines: the new `m`, the new `v`, the decayed `w`, the step. Only the step needs the
# corrected means.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `m / (1 - 0.9**t)` is the corrected mean; what you return is `m` itself.
#
# </details>


# %%
def adamw(w, g, m, v, t, lr, decay):
    """The new weights and means, (N,) each."""
    # BEGIN SOLUTION
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    mean, square = m / (1 - 0.9**t), v / (1 - 0.999**t)
    w = w * (1 - lr * decay) - lr * mean / (np.sqrt(square) + 1e-8)
    return w, m, v
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.training import check_adamw

check_adamw(adamw)

# %% [markdown]
# ## {clip}
#
# `gradients` is a list of arrays of any shapes, one for each parameter. Take them as one long
# vector. If it is longer than `limit`, scale it to that length. Return a new list.
#
# <details><summary>Hint</summary>
#
# The squared length of the long vector is the sum of the squared lengths of its pieces.
#
# </details>


# %%
def clip(gradients, limit):
    """New arrays of the same shapes, of a norm of at most limit together."""
    # BEGIN SOLUTION
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    factor = limit / norm if norm > limit else 1.0
    return [factor * g for g in gradients]
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.training import check_clip

check_clip(clip)

# %% [markdown]
# ## {prediction}
#
# One weight, which starts at 1, and the loss $5 w^2$. Four runs of gradient descent: with the
# rates 0.08, 0.15 and 0.25, and with 0.25 and a momentum of 0.9. Does the weight go to 0
# `"straight"`, without ever changing its sign; does it go there `"bouncing"` from side to side; or
# does it run `"away"`? First write down four words.
#
# <details><summary>Hint 1</summary>
#
# The gradient is $10 w$. What is $w$ multiplied by in each step?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# With momentum, go four steps by hand. Does the ball still have the speed it had?
#
# </details>


# %%
def prediction():
    """Four words, each "straight", "bouncing" or "away"."""
    # BEGIN SOLUTION
    return "straight", "bouncing", "away", "bouncing"
    # END SOLUTION


# %% [markdown]
# Then run it.

# %%
from minitx.checks.training.prediction import CASES, path

for lr, momentum in CASES:
    first = path(lr, momentum, steps=60)[[0, 1, 2, 3, 4, 20, 60]]
    print(f"rate {lr}, momentum {momentum}:", *(f"{w:9.2g}" for w in first))

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.training import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {diagnose}
#
# `run(kind, rng)` trains a linear model and returns the losses of its batches and those on
# held-out data, 240 each. It has a bug, unless it is `"healthy"`: the rate is `"too small"` or
# `"too large"`, gradients are `"not cleared"` between steps, there are `"too few"` rows to learn
# from, or targets are `"shuffled"` against inputs. Write the function that says which. Draw some
# runs of each kind first.
#
# <details><summary>Hint 1</summary>
#
# Begin with what is easiest to tell: a loss at the end that is far above the first.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Compare everything with the first held-out loss: runs differ in how hard they are.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Uncleared gradients let the loss fall far and come back up. A rate that is too small gives a
# held-out loss that falls in nearly every step.
#
# </details>


# %%
def diagnose(train, held_out):
    """One of "healthy", "too small", "too large", "not cleared", "too few", "shuffled"."""
    # BEGIN SOLUTION
    start, end, lowest = held_out[0], held_out[-1], held_out.argmin()
    if end > 100 * start:
        return "too large"
    if held_out[lowest] < start / 3 and held_out[lowest:].max() > start / 2:
        return "not cleared"
    if train[-20:].mean() < end / 5:
        return "too few"
    if end < start / 10:
        return "healthy"
    falling = np.mean(np.diff(held_out) < 0)
    return "too small" if falling > 0.95 else "shuffled"
    # END SOLUTION


# %% [markdown]
# What you may look at while you write it:

# %%
from minitx.checks.training.diagnose import KINDS, run

for kind in KINDS:
    train, held_out = run(kind, np.random.default_rng(0))
    print(f"{kind:12}", *(f"{loss:9.2g}" for loss in held_out[[0, 30, 60, 120, 180, 239]]))

# %% tags=["check"]
from minitx.checks.training import check_diagnose

check_diagnose(diagnose)
