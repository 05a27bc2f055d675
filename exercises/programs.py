# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Programs: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy, and for two of them no Python at all: there you write programs for a transformer.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Four columns: three cells of memory with the addresses 1, 2 and 3, whose codes are $(1, -1)$,
# $(-1, 1)$ and $(1, 1)$ and which hold the bits $+1, -1, -1$; and the scratchpad, with the code
# $(0, 0)$ and nothing in it. It asks for address **3** with $q = \frac{\lambda}{2} p_3$ and
# $\lambda = \ln 9$. (a) What are the four weights of attention, as fractions? (b) What is heard?
# (c) Words of 3 bits, $y = 1$ and $x = 6$: what is the number $y + \bar x + 1$, where $\bar x$ is
# $x$ with every bit turned over, and which word of 3 bits comes out, as a number from -4 to 3?
#
# <details><summary>Hint 1</summary>
#
# The scores are $\frac{\lambda}{2} p_3 \cdot p_i$: one is $\lambda$, and the others are all equal.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\bar 6$ turns over the three bits of 110. Of a sum above 7 the lowest three bits stay.
#
# </details>


# %%
def by_hand():
    """Four weights (cells 1, 2, 3, scratchpad), what is heard, the sum, the word."""
    # BEGIN SOLUTION
    weights = (1 / 12, 1 / 12, 9 / 12, 1 / 12)
    heard = 1 / 12 - 1 / 12 - 9 / 12
    return weights, heard, 3, 3
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.programs import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {adder}
#
# A hidden layer that adds: `relu(bits @ up + bias) @ down + constant` with `bits` of shape
# `(2 N,)`, first those of $x$, then those of $y$, each -1 or 1, lowest first, gives the $N$ bits of
# $x + y$, -1 or 1, without the carry out of the top. `N` is between 2 and 8. Let it round as well:
# bits that are off by up to 1/2000 must give clean bits.
#
# <details><summary>Hint 1</summary>
#
# The sum of the bits up to $j$ is $S_j = \sum_{i \le j} 2^i (x_i + y_i) / 2 + (2^{j+1} - 1)$.
# Between which numbers does it lie, and where is its bit $j$ on?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\operatorname{step}(u) = \operatorname{relu}(2u + \frac12) - \operatorname{relu}(2u - \frac12)$
# with $u = S - m + \frac12$ asks whether $S \ge m$: two units, whose biases differ by 1.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# A bit of 0 or 1 becomes one of -1 or 1 by doubling it and taking off 1: `down` has $\pm 2$,
# `constant` has -1.
#
# </details>


# %%
def adder(N):
    """up (2 N, F), bias (F,), down (F, N) and constant (N,)."""
    # BEGIN SOLUTION
    up, bias, down = [], [], []
    for j in range(N):
        powers = np.where(np.arange(N) <= j, 2.0 ** np.arange(N), 0)
        reading = np.concatenate([powers, powers]) / 2
        for multiple, sign in ((1, 1), (2, -1), (3, 1)):
            shift = powers.sum() - multiple * 2**j + 0.5
            for half, side in ((0.5, sign), (-0.5, -sign)):
                up.append(2 * reading)
                bias.append(2 * shift + half)
                down.append(2 * side * (np.arange(N) == j))
    return np.array(up).T, np.array(bias), np.array(down), -np.ones(N)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.programs import check_adder

check_adder(adder)

# %% [markdown]
# ## {program}
#
# Return a program as text that leaves $|x - y|$ in the cell `d`, whatever is in the cells `x` and
# `y` (from -60 to 60). Other cells are yours to choose. It is assembled and run on the transformer,
# with many values in `x` and `y`.
#
# The assembler knows three words. `.word 5 6` makes cells; `subleq a b c` is `b -= a`, and then, if
# the result is at most 0, a jump to `c` (without `c` it goes on with the next one in either case);
# `.halt` stops. A name and a colon before any of them names its place, and what follows a semicolon
# is a remark. This program puts a copy of `x` into `y`:
#
#     x: .word 42
#     y: .word 0
#     t: .word 0
#        subleq y y      ; y = 0
#        subleq x t      ; t = -x
#        subleq t y      ; y = x
#        .halt
#
# <details><summary>Hint 1</summary>
#
# Begin with a program that makes $x - y$ in `d`. A subtraction from a cell with 0 gives the
# negative.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `subleq z d small`, where `z` holds 0, changes nothing and jumps if `d` is at most 0.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# To make $-d$: `subleq d t` with 0 in `t` first. To move it back, make `d` 0 and take the negative
# again.
#
# </details>


# %%
def program():
    """Text for the assembler, with cells x, y and d."""
    # BEGIN SOLUTION
    return """
    x: .word 9
    y: .word 5
    d: .word 0
    t: .word 0
    z: .word 0
           subleq x t        ; t = -x
           subleq t d        ; d = x
           subleq y d minus  ; d = x - y
           .halt
    minus: subleq t t
           subleq d t        ; t = -d
           subleq d d
           subleq t z        ; z = d as it was
           subleq z d        ; d = -z
           .halt
    """
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.programs import check_program

check_program(program)

# %% [markdown]
# ## {prediction}
#
# Attention looks up one of 1024 columns; the right one leads its nearest rivals by $\lambda$. How
# large must $\lambda$ be for the right column to get **half** of the weight? First with names that
# are all equally far apart, then with binary codes of 10 bits, all in use, where each bit of
# difference costs a factor $e^\lambda$. Write down two numbers, each to a tenth or two.
#
# <details><summary>Hint 1</summary>
#
# Names: one column has $e^\lambda$, and 1023 have 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Codes: the sum over all columns is $(1 + e^{-\lambda})^{10}$, if the right one counts 1.
#
# </details>


# %%
def prediction():
    """The two leads: for names, and for binary codes."""
    # BEGIN SOLUTION
    return np.log(1023), -np.log(2**0.1 - 1)
    # END SOLUTION


# %% [markdown]
# Then run it.

# %%
from minitx.checks.programs.prediction import measured

print("names {:.2f}, codes {:.2f}".format(*measured()))

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.programs import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {gcd}
#
# Write a program that leaves the greatest common divisor of the cells `x` and `y`, both from 1 to
# 40, in the cell `g`. There is room for 64 columns: the scratchpad, your cells and your
# instructions. The check says how many instructions you wrote, and how many cycles they took on the
# average. How few can you do with?
#
# <details><summary>Hint 1</summary>
#
# Euclid, the slow way: take the smaller from the larger until both are equal.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `x -= y` tells you at once which was larger. If it went to 0 or below, add `y` again.
#
# </details>


# %%
def gcd():
    """Text for the assembler, with cells x, y and g."""
    # BEGIN SOLUTION
    return """
    x: .word 12
    y: .word 18
    g: .word 0
    t: .word 0
    z: .word 0
    loop:  subleq y x under  ; x -= y, as long as it stays above 0
           subleq z z loop
    under: subleq y t
           subleq t x        ; once too often: x += y
           subleq t t
           subleq x y done   ; now y -= x: were they equal?
           subleq z z loop
    done:  subleq x t
           subleq t g        ; g = x
           .halt
    """
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.programs import check_gcd

check_gcd(gcd)
