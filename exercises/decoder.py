# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # The decoder: exercises
#
# Write your lines in place of `raise NotImplementedError`, run the cell, then run the check below
# it. A check asks a few questions, the simplest first, and says in words what is wrong. All you
# need is NumPy; arrays go in and arrays come out.

# %%
import numpy as np

# %% [markdown]
# ## {by_hand}
#
# Take a pencil, not the computer. A large model, the **target**, gives three tokens the
# probabilities $p = (\tfrac48, \tfrac38, \tfrac18)$. A small one, the **draft**, guesses one of
# them with $q = (\tfrac28, \tfrac28, \tfrac48)$.
#
# - A guess of token $x$ is *kept* with probability $\min(1, p_x / q_x)$. Write the three.
# - How often is a guess kept in all? (`accepted`, one number.)
# - If it is not kept, another token is drawn from `rest`: $\max(p - q, 0)$, divided by its sum.
#
# Everything comes out as a fraction: write `2 / 3` rather than a rounded number.
#
# <details><summary>Hint 1</summary>
#
# The draft guesses token 2 in half of all cases, four times as often as the
# target would. So this guess, and no other, is sometimes refused.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\text{accepted} = \sum_x q_x \min(1, p_x / q_x)$, which is $\sum_x \min(q_x, p_x)$.
#
# </details>


# %%
def by_hand():
    """kept, three numbers; accepted, one number; rest, three numbers."""
    # BEGIN SOLUTION
    kept = [1, 1, 1 / 4]
    accepted = 5 / 8
    rest = [2 / 3, 1 / 3, 0]
    return kept, accepted, rest
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.decoder import check_by_hand

check_by_hand(by_hand)

# %% [markdown]
# ## {loss}
#
# A decoder has read a text `ids`, `(T,)`, in one pass, and gives scores `logits`, `(T, V)`. Row
# $t$ is a guess about the token **after** token $t$; its probabilities are the softmax of the
# row. The loss is the mean of $-\log_2 p$ over all tokens of the text that were guessed. The
# first token was guessed by nobody, and what follows the last is not known.
#
# <details><summary>Hint 1</summary>
#
# There are $T - 1$ guesses with an answer: rows `logits[:-1]`, answers `ids[1:]`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\log p_i = z_i - m - \log \sum_j e^{z_j - m}$ for any $m$; the largest score of the row keeps the
# exponentials from overflowing. `rows[np.arange(n), answers]` takes one entry of each row.
#
# </details>


# %%
def loss(logits, ids):
    """Mean cost of the next tokens in bits; logits (T, V), ids (T,), returns a number."""
    # BEGIN SOLUTION
    rows, answers = logits[:-1], ids[1:]
    rows = rows - rows.max(axis=1, keepdims=True)
    log_p = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(answers)), answers].mean() / np.log(2)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.decoder import check_loss

check_loss(loss)

# %% [markdown]
# ## {step}
#
# A layer reads a text: token number $t$ is a vector $x_t$ of $D$ numbers. It gets its position,
# $z_t = x_t + P_t$, and then attends, with one head, to itself and to what came before:
#
# $$y_t = \sum_{s \le t} \operatorname{softmax}_s\Big(\frac{q_t \cdot k_s}{\sqrt D}\Big)\, v_s,
# \qquad q_t = z_t W_q,\quad k_s = z_s W_k,\quad v_s = z_s W_v .$$
#
# Write one step of it: from `x`, `(D,)`, the next token, and `state`, to `y`, `(D,)`, and the new
# state. At the first token `state` is `None`; after that it is whatever your function returned.
# `P` is `(N, D)`, the matrices are `(D, D)`. Leave the old state as it was: somebody may come
# back to it and go on in another way.
#
# <details><summary>Hint 1</summary>
#
# Keep the keys and the values of all tokens so far. How many they are is the new token's
# position.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `np.concatenate([keys, k[None]])` makes a new array; `keys.append(k)` changes the old list.
#
# </details>


# %%
def step(x, state, P, W_q, W_k, W_v):
    """The answer y (D,) to the next token x (D,), and the new state."""
    # BEGIN SOLUTION
    keys, values = state if state is not None else (np.zeros((0, len(x))), np.zeros((0, len(x))))
    z = x + P[len(keys)]
    keys = np.concatenate([keys, (z @ W_k)[None]])  # (t + 1, D)
    values = np.concatenate([values, (z @ W_v)[None]])
    scores = keys @ (z @ W_q) / np.sqrt(len(x))
    weights = np.exp(scores - scores.max())
    return weights / weights.sum() @ values, (keys, values)
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.decoder import check_step

check_step(step)

# %% [markdown]
# ## {top_p}
#
# Add up the probabilities of the likeliest tokens, from the top, until the sum reaches `reach`
# (is at least that). These tokens stay, with probabilities in the same proportions that sum to
# 1; all others get 0. Each token keeps its place in the array. `p` is `(V,)`.
#
# <details><summary>Hint 1</summary>
#
# `order = np.argsort(-p)` lists the tokens from the likeliest on, `np.cumsum(p[order])` adds up.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A token stays if those *before* it have not reached yet: the running sum without its own
# probability is below `reach`.
#
# </details>


# %%
def top_p(p, reach):
    """p (V,) cut down to the likeliest tokens that reach ``reach`` together, and normalised."""
    # BEGIN SOLUTION
    order = np.argsort(-p, kind="stable")
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros_like(p)
    stays = order[before < reach]
    kept[stays] = p[stays]
    return kept / kept.sum()
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.decoder import check_top_p

check_top_p(top_p)

# %% [markdown]
# ## {order}
#
# Scores $z$ become probabilities. A *temperature* of 2 divides all scores by 2. Beside it, use one
# of four rules, before the temperature or after it:
#
# - **top-k**: keep the 3 likeliest tokens;
# - **top-p**: keep the likeliest tokens that reach 0.8 together;
# - **min-p**: keep tokens at least 0.2 times as likely as the likeliest;
# - **repetition penalty**: scores of tokens that were written already are divided by 1.5 if they
#   are positive, and multiplied by 1.5 if they are negative.
#
# Are the probabilities the `"same"` in both orders, or `"other"` ones? First write down four
# words, in the order of this list.
#
# <details><summary>Hint</summary>
#
# Which rule looks at the order of the scores, which at their sign, which at the size of
# probabilities? Which of these does a division by 2 change?
#
# </details>


# %%
def prediction():
    """Four words, each "same" or "other": for top-k, top-p, min-p and the penalty."""
    # BEGIN SOLUTION
    return "same", "other", "other", "same"
    # END SOLUTION


# %% [markdown]
# Then run it:

# %%
from minitx.checks.decoder.order import RULES, difference

for name, rule in RULES.items():
    found = difference(rule, 2 * np.random.default_rng(0).standard_normal((1, 9)))
    print(f"{name:24} changes a probability by up to {found:.3f}")

# %% [markdown]
# Did you expect that? If not, change your prediction only once you know why.

# %% tags=["check"]
from minitx.checks.decoder import check_order

check_order(prediction)

# %% [markdown]
# ## {draft}
#
# A draft need not be a model. Write one that looks at nothing but what was written so far:
# `history` is an array of ids, `(t,)`, possibly empty, and `vocabulary` is how many tokens there
# are. Return probabilities for the next token, `(vocabulary,)`. The better they fit what really
# comes, the more guesses are kept. On a text in which every token depends on the one before it,
# seven guesses in ten should be; how many can you get?
#
# <details><summary>Hint 1</summary>
#
# Where in `history[:-1]` does the last token occur, and what came after it there?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `np.bincount(what_followed, minlength=vocabulary)` counts. Add a little to every count, so that
# nothing is divided by zero.
#
# </details>


# %%
def draft_from(history, vocabulary):
    """Probabilities (vocabulary,) for the token after history (t,)."""
    # BEGIN SOLUTION
    followed = history[1:][history[:-1] == history[-1]] if len(history) else history
    counts = np.bincount(followed, minlength=vocabulary) + 0.02
    return counts / counts.sum()
    # END SOLUTION


# %% tags=["check"]
from minitx.checks.decoder import check_draft

check_draft(draft_from)
