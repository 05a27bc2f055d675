# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # The delta rule: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.
#
# A memory is a matrix $S$, `(m, e)`, empty at first. Asked for a key $k$ it answers $S^\top k$.
# The **delta rule** asks before it writes, and writes what is missing, or a part $\beta$ of it:
#
# $$u_t = \beta_t\, (v_t - S_{t-1}^\top k_t), \qquad S_t = S_{t-1} + k_t u_t^\top .$$

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Take a pencil. Values are single numbers, so that a state is two numbers:
#
# | token | key | value |
# |---|---|---|
# | 1 | (1, 0) | 8 |
# | 2 | (0, 1) | 5 |
# | 3 | (1, 0) | 4 |
#
# Write down the state after these three tokens of a **sum**, $S + k v$; of a memory that **fades**,
# $\frac12 S + k v$; and of the **delta rule** with $\beta = 1$. Then let a fourth token come to
# the delta rule, with the key $(\frac35, \frac45)$, the value 10.4 and $\beta = \frac12$.
#
# <details><summary>Hint 1</summary>
#
# The state of the delta rule answers the key (1, 0) with its first number, and (0, 1) with its
# second.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Token 4: the answer to its key is 6.4. What is missing, and what is half of that?
#
# </details>


# %%
def by_hand():
    """Four states of two numbers: sum, fading and delta rule after token 3; delta after 4."""
    # BEGIN SOLUTION
    added = [12, 5]
    faded = [6, 2.5]
    delta = [4, 5]
    fourth = [5.2, 6.6]
    return added, faded, delta, fourth
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.delta import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {rule}
#
# `q` and `k` are `(T, m)`, `v` is `(T, e)`, `beta` is `(T,)`. Return the answers to the queries,
# `(T, e)`: query $t$ asks the state as it is after token $t$ has been written. A loop over tokens
# is what is wanted.
#
# <details><summary>Hint 1</summary>
#
# `np.outer(k[t], u)` is the matrix $k_t u^\top$, and `k[t] @ S` is $S^\top k_t$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Three lines in the loop: what is missing, the write, the answer.
#
# </details>


# %%
def delta_rule(q, k, v, beta):
    """What each query hears right after its token was written, (T, e)."""
    # BEGIN SOLUTION
    state, answers = np.zeros((k.shape[1], v.shape[1])), np.zeros_like(v)
    for t in range(len(q)):
        missing = v[t] - k[t] @ state
        state = state + beta[t] * np.outer(k[t], missing)
        answers[t] = q[t] @ state
    return answers
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.delta import check_rule

check_rule(delta_rule)

# %% [markdown]
# ## {written}
#
# Now without walking through the tokens: return all $u_t$ of a chunk, `(C, e)`, given the state
# before it. Token $t$ asks a state that has in it what the tokens before it wrote:
#
# $$u_t = \beta_t \Big(v_t - S^\top k_t - \sum_{j < t} (k_t \cdot k_j)\, u_j\Big) .$$
#
# Bring all $u$ to one side, and it is a system of linear equations. `np.linalg.solve` is welcome.
#
# <details><summary>Hint 1</summary>
#
# $(I + A)\, U = \operatorname{diag}(\beta)\,(V - K S)$. Which entries has $A$?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Row $t$, column $j$: $\beta_t\,(k_t \cdot k_j)$ for $j < t$, and 0 from the diagonal on:
# `np.tril(..., -1)`.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `beta[:, None] * M` multiplies the rows of `M`.
#
# </details>


# %%
def written(k, v, beta, state):
    """u (C, e) of a chunk; k (C, m), v (C, e), beta (C,), state (m, e) before it."""
    # BEGIN SOLUTION
    steps = beta[:, None]
    system = np.eye(len(k)) + np.tril(steps * (k @ k.T), -1)  # (C, C)
    return np.linalg.solve(system, steps * (v - k @ state))
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.delta import check_written

check_written(written)

# %% [markdown]
# ## {prediction}
#
# Write one and the same pair of a unit key and a value again and again. What becomes of the error
# $|S^\top k - v|$ with $\beta = \frac12$, $1$, $2$ and $2.5$? Say for each whether it is `"gone"`
# at once, `"shrinks"` with every write, `"stays"` or `"grows"`, before you run it.
#
# <details><summary>Hint</summary>
#
# After a write the answer is $S^\top k + \beta (v - S^\top k)$. What is left of the error?
#
# </details>


# %%
def prediction():
    """Four words, for beta = 1/2, 1, 2 and 2.5."""
    # BEGIN SOLUTION
    return "shrinks", "gone", "stays", "grows"
    # END SOLUTION


# %% [markdown]
# Then run it:


# %%
def errors(beta, writes=6):
    """The error of the answer before the first write and after each, as shares of the first."""
    state, key, value = 0.0, 1.0, 3.0
    found = []
    for _ in range(writes + 1):
        found.append(abs(key * state - value) / value)
        state = state + beta * key * (value - key * state)
    return np.round(found, 3)


for beta in (0.5, 1, 2, 2.5):
    print(f"beta = {beta}: {errors(beta)}")

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.delta import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {parity}
#
# A memory as a machine. You are given bits, `(T,)`, each 0 or 1. Return `q`, `k` `(T, m)`, `v`
# `(T, 1)` and `beta` `(T,)`, so that the delta rule of the exercise above answers at each $t$ with
# $1$ if the number of ones so far is even, and $-1$ if it is odd. The numbers of a token may depend
# on its own bit, and on whether it is the first; the counting is the memory's. Keep
# $\beta |k|^2$ between 0 and 2.
#
# <details><summary>Hint 1</summary>
#
# With $v = 0$ a write multiplies what the memory says of $k$ by $1 - \beta |k|^2$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A 0 should change nothing, and a 1 should change the sign.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# The first token finds an empty memory. With $\beta = 1$ it can write what it likes.
#
# </details>


# %%
def parity(bits):
    """q, k (T, m), v (T, 1) and beta (T,) with which the delta rule tells odd from even."""
    # BEGIN SOLUTION
    ones = np.ones((len(bits), 1))
    v = np.zeros_like(ones)
    beta = 2.0 * bits  # 1 - beta is 1 for a 0 and -1 for a 1
    beta[0], v[0] = 1.0, 1.0 - 2.0 * bits[0]
    return ones, ones, v, beta
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.delta import check_parity

check_parity(parity)
