# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Automatic differentiation: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy.
#
# Two words come back. The **tangent** $\dot v$ of a number $v$ says how fast it moves when the
# inputs move in a given direction; tangents are carried forwards. The **cotangent** $\bar v$ says
# how fast the output moves when $v$ does; cotangents are carried backwards, and those of the
# inputs are the gradient.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# With a pencil:
#
# $$p = x y, \qquad s = p + z, \qquad f = s x, \qquad\text{at } x = 2,\ y = 3,\ z = -1.$$
#
# Work out the values of $p, s, f$; then their tangents, when the inputs move in the direction
# $(\dot x, \dot y, \dot z) = (1, 0, 2)$; then the gradient $(\bar x, \bar y, \bar z)$ of $f$. Then
# compare $\dot f$ with $\bar x \dot x + \bar y \dot y + \bar z \dot z$.
#
# <details><summary>Hint 1</summary>
#
# Forwards, the product rule: $\dot p = \dot x\, y + x\, \dot y$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Backwards, begin with $\bar f = 1$. Then $\bar s = x$, since $f = s x$. There are two ways from
# $x$ to $f$, and what comes back along them is added.
#
# </details>


# %%
def by_hand():
    """The values of p, s, f; their tangents; the gradient by x, y, z: three numbers each."""
    # BEGIN SOLUTION
    values = [6, 5, 10]
    tangents = [3, 5, 15]
    gradient = [11, 4, 2]
    return values, tangents, gradient
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.autograd import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {reverse}
#
# A **tape** is a list of what was computed, in the order in which it was. Entry $i$ is about node
# $i$: a list of pairs `(parent, slope)`, where `parent` is the number of an earlier node and
# `slope` the derivative of node $i$ by it. An input has an empty list; the last node is the
# output. Here is the tape of $p = x y$, $f = p x$ at $x = 2$, $y = 3$:
#
#     tape = [[], [], [(0, 3.0), (1, 2.0)], [(2, 2.0), (0, 6.0)]]
#
# Return an array with the cotangent of every node, `(len(tape),)`: what the output's derivative
# with respect to it is. For this tape it is `[12, 4, 2, 1]`.
#
# <details><summary>Hint 1</summary>
#
# Begin with zeros, and 1 for the output. Then each node gives `slope` times its own cotangent to
# each parent.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A node may give only once it has got everything itself. A parent always comes before its child on
# the tape: which order does that suggest?
#
# </details>


# %%
def reverse(tape):
    """The derivative of the last node by every node; tape[i] is [(parent, slope), ...]."""
    # BEGIN SOLUTION
    cotangents = np.zeros(len(tape))
    cotangents[-1] = 1.0
    for i in reversed(range(len(tape))):
        for parent, slope in tape[i]:
            cotangents[parent] += slope * cotangents[i]
    return cotangents
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.autograd import check_reverse

check_reverse(reverse)

# %% [markdown]
# ## {unbroadcast}
#
# When NumPy adds arrays of shapes `(3, 5)` and `(5,)`, it copies the second to every row. On the
# way back the cotangent `g` has the shape of the result, `(3, 5)`, and it should have that of the
# argument, `(5,)`. Each copy has its own share, and the shares are **added**.
#
# Broadcasting does two things, matching shapes from the right: it puts new axes in front, and it
# stretches axes of length 1. Undo both: `shape` is what the array had before.
#
# <details><summary>Hint 1</summary>
#
# First sum over the `g.ndim - len(shape)` axes in front.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Then sum over each axis that has length 1 in `shape` and is longer in `g`; `keepdims=True` leaves
# it there with length 1.
#
# </details>


# %%
def unbroadcast(g, shape):
    """Sum g over what broadcasting copied, so that it has the given shape."""
    # BEGIN SOLUTION
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(i for i, length in enumerate(shape) if length == 1 != g.shape[i])
    return g.sum(axis=stretched, keepdims=True)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.autograd import check_unbroadcast

check_unbroadcast(unbroadcast)

# %% [markdown]
# ## {softmax_rule}
#
# Softmax turns scores $z$ into weights $y_j = e^{z_j} / \sum_r e^{z_r}$, with derivatives
#
# $$\frac{\partial y_j}{\partial z_i} = y_j (\delta_{ij} - y_i),
# \qquad \delta_{ij} = 1 \text{ if } i = j \text{, else } 0 .$$
#
# Write its backward rule: from `g`, the cotangent of $y$, and from $y$ itself, the cotangent of
# $z$, which is $\bar z_i = \sum_j g_j\, \partial y_j / \partial z_i$. Both arrays are `(..., V)`,
# and each row along the last axis is a softmax of its own. Do it without an array of $V \times V$
# numbers: the last question has 128 rows with $V = 4000$.
#
# <details><summary>Hint 1</summary>
#
# Put the derivative into the sum, and multiply out. One of the two sums has only one term.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# What is left is $\bar z_i = y_i\,(g_i - c)$ with one number $c$ for a whole row.
#
# </details>


# %%
def softmax_rule(g, y):
    """The cotangent of the scores; g and y (..., V), the result too."""
    # BEGIN SOLUTION
    return y * (g - (g * y).sum(axis=-1, keepdims=True))
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.autograd import check_softmax_rule

check_softmax_rule(softmax_rule)

# %% [markdown]
# ## {difference}
#
# A second derivative can be had from three values of a function:
#
# $$f''(x) \approx \frac{f(x + h) - 2 f(x) + f(x - h)}{h^2} .$$
#
# Taylor's series says that this is wrong by about $h^2$. Rounding makes each value of $f$ wrong by
# about $10^{-16}$ in float64. Which power of ten is the best step $h$, and which power of ten is
# the error that is left? Write down both, as whole numbers: `-3, -6` would be a step of $10^{-3}$
# and an error of $10^{-6}$.
#
# <details><summary>Hint</summary>
#
# The two errors are about $h^2$ and $10^{-16} / h^2$. As $h$ shrinks, one falls and the other
# rises; the best step is about where they meet.
#
# </details>


# %%
def prediction():
    """Two powers of ten, whole numbers: the best step h, and the error that is left."""
    # BEGIN SOLUTION
    step, error = -4, -8
    return step, error
    # END SOLUTION


# %% [markdown]
# Only then run this, for the second derivative of the sine, which is minus the sine. Is it as you
# expected? If not, change your prediction once you know why.


# %%
def show_errors():
    """The error of the second difference for steps from 0.1 to 10^-10."""
    x = np.linspace(0.5, 1.5, 401)
    print("    step   median error")
    for power in range(-1, -11, -1):
        h = 10.0**power
        second = (np.sin(x + h) - 2 * np.sin(x) + np.sin(x - h)) / h**2
        print(f"  10^{power:<4}   {np.median(abs(second + np.sin(x))):.1e}")


show_errors()

# %% tags=["check"]
from minitx.checks.autograd import check_difference

check_difference(prediction)

# %% [markdown]
# ## {keep}
#
# A chain of `steps` steps turns state 0, the input, into state 1, and so on. The backward pass
# needs every state, from the last to the first. To save memory, keep only a few. When the
# backward pass comes to the stretch between two kept states, it starts at the earlier one,
# computes that stretch again, holds all of it (counted from the kept state, as many states as
# the stretch has steps), goes back through it, and lets it go.
#
# So the memory needed is **the number of states kept plus the length of the longest stretch**. The
# last stretch ends at the end of the chain. Say which states to keep, state 0 among them, so that
# this is at most $2 \sqrt{\text{steps}} + 1$, for any number of steps.
#
# <details><summary>Hint 1</summary>
#
# Let the kept states be $k$ apart. How many are there, and how long is a stretch? For which $k$ is
# the sum least?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# When the number of steps is not a square, round the distance up: `int(np.ceil(...))`.
#
# </details>


# %%
def keep(steps):
    """Numbers of the states to keep, rising from 0, all below steps."""
    # BEGIN SOLUTION
    distance = int(np.ceil(np.sqrt(steps)))
    return list(range(0, steps, distance))
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.autograd import check_keep

check_keep(keep)
