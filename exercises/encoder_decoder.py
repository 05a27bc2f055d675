# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # The encoder-decoder: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.
#
# An encoder-decoder reads a source $x$ and writes a target $y$, word by word: it gives the next
# word $y_t$ a probability $p(y_t \mid y_{<t}, x)$, and a whole text the product of these. For
# each word that it writes, its decoder looks at the source: the vector $h_t$ asks, the vectors
# $m_s$ of the source answer,
#
# $$c_t = \sum_s \operatorname{softmax}_s\Big(
# \frac{(h_t W_q) \cdot (m_s W_k)}{\sqrt d}\Big)\, m_s W_v.$$
#
# The softmax is given:

# %%
import numpy as np


def softmax(scores, axis=-1):
    """Weights that sum to 1 along axis, in proportion to exp(scores)."""
    parts = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


# %% [markdown]
# ## {by_hand}
#
# The first word is *a* with probability 1/2, *b* with 3/10, *c* with 1/5. After *a* come ten
# words with 1/10 each; after *b* one of two words, with 1/2 each; after *c* always the same word.
# Then every text ends. What is the probability of the text that a beam of one finds, and of those
# that beams of two and of three find? Write fractions.
#
# <details><summary>Hint 1</summary>
#
# A beam of one keeps *a*, whatever comes after it.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A beam of two keeps *a* and *b*. Its best text is the more probable of *a* with a word and *b*
# with a word.
#
# </details>


# %%
def by_hand():
    """Three probabilities: what beams of one, two and three find."""
    # BEGIN SOLUTION
    a = 1 / 2 * 1 / 10
    b = 3 / 10 * 1 / 2
    c = 1 / 5 * 1
    return a, max(a, b), max(a, b, c)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder_decoder import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {cross_attention}
#
# The formula above, for a batch, one head, without a loop. `h` is `(B, T, D)` and `m` is `(B, S,
# E)`: the two sides may differ in width. `w_q` is `(D, d)`, `w_k` is `(E, d)`, `w_v` is `(E, e)`,
# and `valid`, `(B, S)`, is True where a source word is. At least one is in every sentence.
#
# <details><summary>Hint 1</summary>
#
# `h @ w_q` are queries, `(B, T, d)`. Keys and values are made of `m`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Scores are `(B, T, S)`. `valid[:, None, :]` has an axis for the queries, `(B, 1, S)`, and
# broadcasts against them.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `np.where(..., scores, -np.inf)` before the softmax makes the weight exactly 0.
#
# </details>


# %%
def cross_attention(h, m, w_q, w_k, w_v, valid):
    """h hears m where valid; the result is (B, T, e)."""
    # BEGIN SOLUTION
    q, k, v = h @ w_q, m @ w_k, m @ w_v  # (B, T, d), (B, S, d), (B, S, e)
    scores = q @ np.swapaxes(k, 1, 2) / np.sqrt(q.shape[-1])  # (B, T, S)
    scores = np.where(valid[:, None, :], scores, -np.inf)
    return softmax(scores) @ v
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder_decoder import check_cross_attention

check_cross_attention(cross_attention)

# %% [markdown]
# ## {teacher_forcing}
#
# Texts are lists of ids of different lengths (perhaps none at all). Make three arrays `(B, T)`
# with $T$ the length of the longest text and one more: `inputs`, what the decoder gets;
# `targets`, what it has to say; `counts`, True where a prediction counts. After a text has to
# come `end`; what is left over is filled with `pad`, and does not count. Where nothing counts,
# any input will do.
#
# <details><summary>Hint 1</summary>
#
# For the text `[7, 8]` the decoder gets `start 7 8` and has to say `7 8 end`: three predictions.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Begin with arrays full of `pad` (`np.full`) and False, and fill row by row.
#
# </details>


# %%
def teacher_forcing(texts, start, end, pad):
    """inputs, targets (integers) and counts (boolean), each (B, T)."""
    # BEGIN SOLUTION
    T = max(len(text) for text in texts) + 1
    inputs, targets = np.full((len(texts), T), pad), np.full((len(texts), T), pad)
    counts = np.zeros((len(texts), T), dtype=bool)
    for b, text in enumerate(texts):
        n = len(text) + 1
        inputs[b, :n] = [start, *text]
        targets[b, :n] = [*text, end]
        counts[b, :n] = True
    return inputs, targets, counts
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder_decoder import check_teacher_forcing

check_teacher_forcing(teacher_forcing)

# %% [markdown]
# ## {beam_search}
#
# `log_probs(text)` gives an array of $V$ log probabilities for the word after `text`, a list of
# ids. In each of `limit` rounds go on with every beginning that is alive by every word, rank all
# results together, and keep the `width` most probable. Of these, put aside what ends with `end`;
# it has finished, takes up no place in later rounds, and must not be forgotten. After the last
# round what is still alive counts as finished too. Return the most probable finished text, as a
# list, and its log probability. No length penalty.
#
# <details><summary>Hint 1</summary>
#
# Keep pairs `(log p, text)`, and begin with `[(0.0, [])]`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Rank children of *all* beginnings in one list: two of the kept may have the same parent, and
# some parent may have none.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Two lists, `alive` and `finished`. If nothing is alive, a round changes nothing.
#
# </details>


# %%
def beam_search(log_probs, width, end, limit):
    """The best text that is found (a list of ids) and its log p."""
    # BEGIN SOLUTION
    alive, finished = [(0.0, [])], []
    for _ in range(limit):
        longer = [
            (total + float(log_p), [*text, word])
            for total, text in alive
            for word, log_p in enumerate(log_probs(text))
        ]
        kept = sorted(longer, reverse=True)[:width]
        finished += [one for one in kept if one[1][-1] == end]
        alive = [one for one in kept if one[1][-1] != end]
    total, text = max(finished + alive)
    return text, total
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder_decoder import check_beam_search

check_beam_search(beam_search)

# %% [markdown]
# ## {prediction}
#
# A model that has learned little: whatever has been written, the next word is the end with
# probability 0.3, *ha* with 0.36, and one of two others with 0.17 each. A text is cut after eight
# words. Is what beam search finds `"empty"` (the end alone) or `"full"` (eight words)? Write down
# three words: for one beam; for two beams; for two beams and scores that are divided by the
# length ($\alpha = 1$). Only then let `found_length` measure it.
#
# <details><summary>Hint 1</summary>
#
# A greedy writer compares 0.3 with 0.36, each time anew.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $0.36^2$ is 0.13, and $\log 0.36$ is greater than $\log 0.3$.
#
# </details>


# %%
def prediction():
    """Three words, each "empty" or "full"."""
    # BEGIN SOLUTION
    return "full", "empty", "full"
    # END SOLUTION


# %% [markdown]
# Then run it: how many words the best text has that a beam finds.

# %%
from minitx.checks.encoder_decoder.prediction import found_length

for width in (1, 2, 3):
    lengths = [found_length(width, penalty) for penalty in (0.0, 0.5, 1.0)]
    print(f"{width} beams, α = 0, 1/2, 1: {lengths} words")

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.encoder_decoder import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {misled}
#
# Make a tree of two steps in which a beam of `k` misses the most probable text, and a beam of `k
# + 1` finds it: `first`, `(n,)`, the probabilities of the first word, and `second`, `(n, m)`,
# those of the second word after each first one, with any `n` and `m`. Keep all that is compared
# at least $10^{-6}$ apart, so that no ranking hangs on rounding. It has to work for every $k \ge
# 1$ that is asked.
#
# <details><summary>Hint 1</summary>
#
# The first word of the best text must be the $(k+1)$-st of the first words.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# What comes after the $k$ words before it may be spread thin, so that each of their texts is
# improbable.
#
# </details>


# %%
def misled(k):
    """first (n,) and second (n, m): a tree that fools a beam of k."""
    # BEGIN SOLUTION
    first = np.append(np.linspace(1.2, 1.1, k), 1.0)  # the last is number k + 1
    second = np.full((k + 1, 2), 1 / 2)  # after the others, a word is worth a half
    second[k] = [1, 0]  # after the last, one is certain
    return first / first.sum(), second
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder_decoder import check_misled

check_misled(misled)
