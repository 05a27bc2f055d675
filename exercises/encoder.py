# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Encoder: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.
#
# An encoder makes a vector of every token, in which the token has heard all others, on both sides.
# To train it, some tokens are **hidden** and guessed: the score of each word of the vocabulary is
# the dot product of the token's vector with the word's, and **softmax** makes probabilities of
# scores. It is given:

# %%
import re

import numpy as np


def softmax(scores, axis=-1):
    """Positive numbers that sum to 1 along axis, in the proportions of exp(scores)."""
    parts = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return parts / parts.sum(axis=axis, keepdims=True)


# %% [markdown]
# ## {by_hand}
#
# Take a pencil, not the computer. There are four words, with the vectors
#
# | word | 0 | 1 | 2 | 3 |
# |---|---|---|---|---|
# | vector | (1, 0) | (0, 1) | (1, 1) | (0, 0) |
#
# and a text of three tokens, of which an encoder has made the vectors
#
# | token | hidden? | vector | truth |
# |---|---|---|---|
# | first | yes | (ln 2, ln 3) | word 2 |
# | second | no | (ln 2, 0) | word 0 |
# | third | yes | (ln 3, 0) | word 1 |
#
# Work out the probabilities of the four words at each of the two holes (two rows of four) and the
# loss of the text, in bits. Write `1 / 7` rather than a rounded number.
#
# <details><summary>Hint 1</summary>
#
# The first row of scores is $(\ln 2, \ln 3, \ln 6, 0)$, since $\ln 2 + \ln 3 = \ln 6$; their
# exponentials are 2, 3, 6 and 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The loss of a hole in bits is minus the logarithm, to base 2, of the probability of its true
# word. Only hidden tokens count.
#
# </details>


# %%
def by_hand():
    """The probabilities, 2 rows of 4 numbers, and the loss in bits, one number."""
    # BEGIN SOLUTION
    probabilities = [
        [2 / 12, 3 / 12, 6 / 12, 1 / 12],
        [3 / 8, 1 / 8, 3 / 8, 1 / 8],
    ]
    bits = (1 + 3) / 2
    return probabilities, bits
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {masked_loss}
#
# `logits` is `(B, T, V)`: a score for each word of the vocabulary at each place of each text.
# `targets`, `(B, T)`, are the true words, and `hidden`, `(B, T)`, is True where the word was
# hidden. Return the mean of $-\log \operatorname{softmax}(\text{logits})_{\text{target}}$, in
# nats, over all hidden tokens of the batch: one number.
#
# <details><summary>Hint 1</summary>
#
# $-\log \operatorname{softmax}(z)_i = \log \sum_j e^{z_j} - z_i$, and nothing changes if you
# subtract the largest $z$ from all of them first.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]` has the score of the true word
# at each place, and `losses[hidden]` is one long row of what is hidden.
#
# </details>


# %%
def masked_loss(logits, targets, hidden):
    """The mean loss in nats of hidden tokens; logits (B, T, V), targets and hidden (B, T)."""
    # BEGIN SOLUTION
    z = logits - logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(z).sum(axis=-1))  # (B, T)
    of_truth = np.take_along_axis(z, targets[..., None], axis=-1)[..., 0]
    return (log_sum - of_truth)[hidden].mean()
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder import check_masked_loss

check_masked_loss(masked_loss)

# %% [markdown]
# ## {poly_scores}
#
# `hidden`, `(B, T, D)`, are the vectors of the tokens of contexts, `codes`, `(m, D)`, are trained
# vectors, and `candidates`, `(C, D)`, one vector for each candidate. Each code looks at the tokens
# of a context and keeps one vector,
#
# $$y_i = \sum_t \operatorname{softmax}_t(c_i \cdot h_t)\, h_t,$$
#
# and each candidate $u$ looks at what was kept: its score is
#
# $$\sum_i \operatorname{softmax}_i(u \cdot y_i)\; u \cdot y_i .$$
#
# All products are plain dot products, without a scale. Return the scores of all contexts with all
# candidates, `(B, C)`.
#
# <details><summary>Hint 1</summary>
#
# `codes @ hidden.swapaxes(1, 2)` is `(B, m, T)`; its last axis is the tokens, over which the first
# softmax runs.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# What was kept is `(B, m, D)`. Its products with the candidates are `(B, m, C)`, and the second
# softmax runs over the codes, axis 1.
#
# </details>


# %%
def poly_scores(hidden, codes, candidates):
    """hidden (B, T, D), codes (m, D), candidates (C, D): the scores (B, C)."""
    # BEGIN SOLUTION
    kept = softmax(codes @ hidden.swapaxes(1, 2)) @ hidden  # (B, m, D)
    products = kept @ candidates.T  # (B, m, C)
    return (softmax(products, axis=1) * products).sum(axis=1)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder import check_poly_scores

check_poly_scores(poly_scores)

# %% [markdown]
# ## {prediction}
#
# A context is a set of facts, each a random vector of 64 numbers. It is kept as **one** vector,
# the mean of its facts. Sixteen candidates are compared with it by their dot products: one of them
# is a fact of the context, the other fifteen are random vectors of the same kind. How often does
# the right one win, if a context is **4**, **64** or **4096** facts: `"nearly always"`,
# `"sometimes"` or `"hardly ever"`? Write down three words, in this order. Only then let `recall`
# measure it, for 4, 64 and 4096.
#
# <details><summary>Hint</summary>
#
# The product of the right candidate with the sum of all facts is its own square, about 64, plus
# the products with the others: those are noise. How large is the noise of $n$ products of 64
# terms each?
#
# </details>

# %%
from minitx.checks.encoder.prediction import recall  # recall(4, np.random.default_rng(0))


def prediction():
    """Three words, for contexts of 4, 64 and 4096 facts."""
    # BEGIN SOLUTION
    return "nearly always", "sometimes", "hardly ever"
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder import check_prediction

check_prediction(prediction)

# %% [markdown]
# ## {search}
#
# `question` is a text and `passages` a list of texts. Return the numbers of the passages, the best
# first: a list in which each of `0, ..., len(passages) - 1` stands once. You have no network here,
# so count words. The check has five wishes; begin with any way to satisfy the first.
#
# <details><summary>Hint 1</summary>
#
# `re.findall(r"\w+", text.lower())` is the list of words of a text. Give every word that occurs in
# a passage a column: a text is then a vector of counts, and a score a dot product.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A passage's vector divided by its length says what share of the passage a word is.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# A word that stands in $n$ of $N$ passages gets the weight $\log(N / n)$, in question and passage.
#
# </details>


# %%
def search(question, passages):
    """The numbers of the passages, the one that answers the question best first."""
    # BEGIN SOLUTION
    texts = [re.findall(r"\w+", text.lower()) for text in [question, *passages]]
    columns = {word: i for i, word in enumerate(sorted({w for text in texts for w in text}))}
    counts = np.zeros((len(texts), len(columns)))
    for row, text in enumerate(texts):
        for word in text:
            counts[row, columns[word]] += 1
    asked, told = counts[0], counts[1:]
    weights = np.log(len(told) / np.maximum((told > 0).sum(axis=0), 1))
    told = told * weights
    told = told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1e-12)
    return np.argsort(-(told @ (asked * weights)), kind="stable").tolist()
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.encoder import check_search

check_search(search)
