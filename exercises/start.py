# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Start: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy.

# %%
import numpy as np

# %% [markdown]
# ## {bits}
#
# A language model reads a text character by character. Before each character it states a
# probability for every character that might come. Afterwards we look at the probability $p_t$
# that it had given to the one that really came. The model is good if these are high. The usual
# score is the mean of $-\log_2 p_t$ over the text, in **bits per character**: a character that
# was certain costs 0 bits, one that had the chance of a coin costs 1.
#
# Write `bits_per_character(probabilities)`. It takes an array of the $p_t$, shape `(T,)`, and
# returns one number. Before you run it: how many bits does a model cost that gives each of 64
# characters the same chance?
#
# <details><summary>Hint</summary>
#
# One cost for each character first, then their mean. `np.log2` is the logarithm to base 2.
#
# </details>


# %%
def bits_per_character(probabilities):
    """Mean of -log2(p) over the characters of a text; probabilities (T,), returns a number."""
    # BEGIN SOLUTION
    return -np.mean(np.log2(probabilities))
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.start import check_bits

check_bits(bits_per_character)

# %% [markdown]
# ## {temperature}
#
# A model gives each character a score $s_i$, any real number, and the scores become probabilities
# by
#
# $$p_i = \frac{e^{s_i / T}}{\sum_j e^{s_j / T}}.$$
#
# The temperature $T > 0$ says how bold the choice among them is. Before you write anything: what
# becomes of the probabilities as $T$ goes to 0, and as it grows without end?
#
# Write `temperature_probabilities(scores, temperature)`. The scores are `(V,)`, or `(rows, V)`
# for several texts at once; the result has the same shape, and every row sums to 1.
#
# <details><summary>Hint 1</summary>
#
# `x.sum(axis=-1, keepdims=True)` sums each row and keeps the axis, so that dividing by it works
# for one row and for many.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $e^{1000}$ is too large for a computer. What changes in the fraction if you subtract the same
# number from all scores?
#
# </details>


# %%
def temperature_probabilities(scores, temperature):
    """exp(scores / T) over its sum along the last axis; the shape of scores."""
    # BEGIN SOLUTION
    scores = scores / temperature
    parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return parts / parts.sum(axis=-1, keepdims=True)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.start import check_temperature

check_temperature(temperature_probabilities)
