# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Tokens: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is Python and NumPy.
#
# **Byte pair encoding** (BPE) learns from words with their counts. Every word begins as its
# letters. Count each pair of neighbouring tokens, times how often its word occurs; the most
# frequent pair becomes one token, everywhere; count again. Of equally frequent pairs the first in
# the alphabet is taken. A new word is cut by making the same merges in the same order.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Take a pencil, not the computer. Three words and how often they occur:
#
# | word | count |
# |---|---|
# | ban | 4 |
# | nab | 2 |
# | banana | 3 |
#
# Find the first three merges; write each as its two parts with a space between them, such as
# `"x y"`. Then cut the word *anana* with them, and write its tokens as a list of strings.
#
# <details><summary>Hint 1</summary>
#
# The pair “a n” stands in *ban* once and in *banana* twice: $4 + 2 \cdot 3 = 10$ times.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# After the first merge the words are b·an, n·a·b and b·an·an·a. The old counts are worth nothing.
#
# </details>


# %%
def by_hand():
    """Three merges, the first learned first, and the tokens of anana."""
    # BEGIN SOLUTION
    merges = ["a n", "b an", "an a"]
    tokens = ["an", "ana"]
    return merges, tokens
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.tokens import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {encode}
#
# `merges` is a list of pairs of strings, the earliest learned first, such as `[("t", "e"), ("te",
# "n")]`. Cut `word` into its characters, make the merges one after the other, each wherever its
# pair stands, from the left, and return the tokens, a list of strings.
#
# <details><summary>Hint 1</summary>
#
# For each merge, build a new list while you go through the old one: either two tokens are taken
# and joined, or one is taken as it is.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# In *aaa* the pair “a a” stands twice, and can be merged once. A `while` loop with an index can
# step by 2 after a merge and by 1 otherwise; a `for` loop cannot.
#
# </details>


# %%
def encode(word, merges):
    """The tokens of a word: its characters after all merges, in their order."""
    # BEGIN SOLUTION
    tokens = list(word)
    for left, right in merges:
        found, i = [], 0
        while i < len(tokens):
            if tokens[i : i + 2] == [left, right]:
                found.append(left + right)
                i += 2
            else:
                found.append(tokens[i])
                i += 1
        tokens = found
    return tokens
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.tokens import check_encode

check_encode(encode)

# %% [markdown]
# ## {pack}
#
# To train a model that predicts the next token, documents are put one behind the other, the token
# `end` after each, and the stream is cut into windows. `documents` is a list of arrays of ids.
# Return two arrays of integers, `(N, length)` both: the inputs, and the targets, which are the
# token that follows each input. A window begins where the one before it ended, so that every
# token but the first is a target once. What fills no window with all its targets is left out.
#
# <details><summary>Hint 1</summary>
#
# Make the stream first: `np.concatenate` of all parts. `np.append(document, end)` is one part.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A stream of M tokens has M - 1 pairs of an input and a target: `stream[:-1]` and `stream[1:]`.
# How many windows do they fill?
#
# </details>


# %%
def pack(documents, end, length):
    """Inputs and targets (N, length) of documents put one behind the other."""
    # BEGIN SOLUTION
    stream = np.concatenate([np.append(document, end) for document in documents])
    used = (len(stream) - 1) // length * length
    inputs, targets = stream[:used], stream[1 : used + 1]
    return inputs.reshape(-1, length), targets.reshape(-1, length)  # (N, length)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.tokens import check_pack

check_pack(pack)

# %% [markdown]
# ## {patches}
#
# `images` is `(B, H, W, C)`: rows, columns, channels. Cut each into squares of `size` times `size`
# pixels, which is known to divide H and W. A patch is a token: return `(B, T, size * size * C)`,
# the patches row by row as one reads, and in a patch its rows, in a row its pixels, in a pixel its
# channels. Without a loop.
#
# <details><summary>Hint 1</summary>
#
# `reshape` can give the rows two axes, (H // size, size), and the columns as well. Which of the
# six axes number the patch, and which the numbers in it?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `transpose` puts the axes into the order in which the result is read; a second `reshape` joins
# them.
#
# </details>


# %%
def patches(images, size):
    """Images (B, H, W, C) as tokens (B, T, size * size * C)."""
    # BEGIN SOLUTION
    B, H, W, C = images.shape
    grid = images.reshape(B, H // size, size, W // size, size, C)
    grid = grid.transpose(0, 1, 3, 2, 4, 5)  # (B, H / size, W / size, size, size, C)
    return grid.reshape(B, -1, size * size * C)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.tokens import check_patches

check_patches(patches)

# %% [markdown]
# ## {prediction}
#
# A sum of two numbers of three digits each is written one digit after the other. To write the
# next digit of the sum without error, how many of the six digits of the two numbers must one look
# at, at least, if one also sees what has been written of the sum?
#
# 1. The highest digit is written first. The first digit (a 0 or a 1).
# 2. The lowest digit is written first. The first digit.
# 3. The lowest digit is written first. The third digit, with two of them written.
#
# First write down three numbers from 0 to 6.
#
# <details><summary>Hint</summary>
#
# Was there a carry? If $7 + 8$ and what came before it ended in a 6, there was one before, and
# there is one now.
#
# </details>


# %%
def prediction():
    """Three whole numbers from 0 to 6."""
    # BEGIN SOLUTION
    return 6, 2, 4
    # END SOLUTION


# %% [markdown]
# Then run it: all choices of digits, tried on all sums of a smaller base.

# %%
from minitx.checks.tokens.prediction import digits_needed

for order in ("highest first", "lowest first"):
    print(order, [digits_needed(order, place) for place in range(4)])

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.tokens import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {pieces}
#
# Choose a vocabulary. `words` are words of an invented language with their counts, as a
# dictionary. Return at most `count` pieces, a list of strings of two letters or more; single
# letters are always allowed besides. The check takes *new* text of the same language, with words
# that were not there, cuts every word into the fewest tokens that your pieces allow, and counts
# the tokens. It begins with an easy opponent and ends with the merges of BPE.
#
# <details><summary>Hint 1</summary>
#
# A piece of $n$ letters that is used $c$ times saves $c (n - 1)$ tokens.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Pieces that overlap save the same letters. Choose one, cut the words with it, then count again:
# that is BPE. To be better, think of which of its merges are never used in the end.
#
# </details>


# %%
def pieces(words, count):
    """At most count pieces that make texts of this language short."""

    # BEGIN SOLUTION
    def joined(tokens, pair):
        found, i = [], 0
        while i < len(tokens):
            size = 2 if tuple(tokens[i : i + 2]) == pair else 1
            found.append("".join(tokens[i : i + size]))
            i += size
        return found

    cut = {word: list(word) for word in words}
    chosen = []
    while len(chosen) < count:
        pairs = {}
        for word, tokens in cut.items():
            for pair in zip(tokens, tokens[1:]):
                pairs[pair] = pairs.get(pair, 0) + words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        chosen.append("".join(best))
        cut = {word: joined(tokens, best) for word, tokens in cut.items()}
    return chosen
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.tokens import check_pieces

check_pieces(pieces)
