# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Looped: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Two examples, $x = 1$ with $y = 4$ and $x = 3$ with $y = 12$, and the question $x = 2$. The
# preconditioner is $A = \frac{3}{20}$. (a) The rests $r$ of the three tokens (examples, question)
# after one pass? (b) The predictions after one pass and after two? (c) Newton's iteration begins
# with $m = \frac{3}{20}$: what is $m$ after one pass?
#
# <details><summary>Hint 1</summary>
#
# The mean of $x y$ is $(4 + 36) / 2 = 20$, so one step makes $w = 3$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The prediction is minus the rest of the question. For (c), $S$ is the mean of $x^2$.
#
# </details>


# %%
def by_hand():
    """Three rests after one pass, two predictions, and m."""
    # BEGIN SOLUTION
    rests = (4 - 3 * 1, 12 - 3 * 3, 0 - 3 * 2)
    predictions = (3 * 2, (3 + 3 / 20 * (1 * 1 + 3 * 3) / 2) * 2)
    return rests, predictions, 2 * 3 / 20 - 3 / 20 * 5 * 3 / 20
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.looped import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {descent}
#
# `x` is `(n + 1, d)` and `r` is `(n + 1,)`: n examples and, last, the question, whose rest begins
# at 0. In every pass each token $j$ does
# $r_j \leftarrow r_j - x_j \cdot A \frac1n \sum_i x_i r_i$ with the sum over the examples. Return
# the rests of all tokens after `loops` passes. `step` is $A$, `(d, d)`. Leave `x` and `r` as they
# were given.
#
# <details><summary>Hint 1</summary>
#
# `x[:-1].T @ r[:-1]` is the sum over the examples, `(d,)`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# All tokens at once: `x @ step @ push` is `(n + 1,)`.
#
# </details>


# %%
def descent(x, r, step, loops):
    """The rests (n + 1,) after some passes of one linear layer."""
    # BEGIN SOLUTION
    for _ in range(loops):
        push = x[:-1].T @ r[:-1] / (len(x) - 1)
        r = r - x @ step @ push
    return r
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.looped import check_descent

check_descent(descent)

# %% [markdown]
# ## {loop_loss}
#
# `block` takes an array to one of the same shape. Run $Y_{t+1} = \text{block}(Y_t + x)$ from
# $Y_0 = 0$, `times` passes, and return the mean over the last `window` passes of the mean squared
# difference of $Y_t$ and `target`.
#
# <details><summary>Hint 1</summary>
#
# Keep every $Y_t$ in a list, and cut the list at the end.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The loss of each pass first, then the mean of these losses.
#
# </details>


# %%
def loop_loss(block, x, target, times, window):
    """The mean loss of the last passes, a number."""
    # BEGIN SOLUTION
    y, losses = np.zeros_like(x), []
    for _ in range(times):
        y = block(y + x)
        losses.append(np.mean((y - target) ** 2))
    return np.mean(losses[-window:])
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.looped import check_loop_loss

check_loop_loss(loop_loss)

# %% [markdown]
# ## {prediction}
#
# The matrix $S$ has eigenvalues from 1 down to 1/100. Both descent, $M \leftarrow M + (I - M S)$,
# and Newton, $M \leftarrow 2 M - M S M$, begin with $M = I$. How many passes until the largest
# singular value of $I - M S$ is at most 1/1000? Write down two numbers, the first to a tenth of
# itself.
#
# <details><summary>Hint 1</summary>
#
# A pass of descent multiplies the error in the slowest direction by 0.99, and it begins at 0.99.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Newton squares it. How often must 2 be doubled to get to the first number?
#
# </details>


# %%
def prediction():
    """Passes of descent, passes of Newton."""
    # BEGIN SOLUTION
    descent = np.log(1e-3) / np.log(0.99)
    return descent, np.ceil(np.log2(descent))
    # END SOLUTION


# %% [markdown]
# Then run it.

# %%
from minitx.checks.looped.prediction import measured

print(measured())

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.looped import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {steps}
#
# Descent with a step $a_t$ of its own in each of four passes leaves $\prod_t (1 - a_t s)$ of the
# error along an eigenvalue $s$. Four equal steps leave at best $(9/11)^4 = 0.448$ at the worst $s$
# between 0.1 and 1. Return four numbers that leave at most 0.2. How little can be left?
#
# <details><summary>Hint 1</summary>
#
# The product is a polynomial of degree 4 that is 1 at $s = 0$ and has its zeros at $1 / a_t$. Plot
# it.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A good polynomial has humps of the same height everywhere, so its zeros are closer together
# towards both ends.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Pafnuty Chebyshev: the cosines of $\frac{\pi}{8}, \frac{3\pi}{8}, \frac{5\pi}{8}, \frac{7\pi}{8}$
# are zeros for the interval from -1 to 1.
#
# </details>


# %%
def steps():
    """Four step sizes."""
    # BEGIN SOLUTION
    zeros = 0.55 + 0.45 * np.cos(np.pi * np.array([1, 3, 5, 7]) / 8)
    return 1 / zeros
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.looped import check_steps

check_steps(steps)
