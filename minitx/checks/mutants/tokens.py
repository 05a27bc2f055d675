"""Mistakes in the exercises of chapter ``tokens``."""

import numpy as np

from minitx.checks.mutants import mutant
from minitx.checks.tokens import (
    check_by_hand,
    check_encode,
    check_pack,
    check_patches,
    check_pieces,
    check_prediction,
)
from minitx.checks.tokens.oracle import join, learn

# by_hand: three merges, and the tokens of anana


@mutant(check_by_hand, "but “a n” does so too")
def hand_second_best():
    return ["n a", "b an", "an a"], ["an", "ana"]


@mutant(check_by_hand, "each banana twice")
def hand_words_for_pairs():
    return ["b a", "ba n", "ban a"], ["an", "ana"]


@mutant(check_by_hand, "The old counts are out of date")
def hand_old_counts():
    return ["a n", "n a", "b a"], ["an", "an", "a"]


@mutant(check_by_hand, "The second merge is another one")
def hand_letters_only():
    return ["a n", "a b", "an a"], ["an", "ana"]


@mutant(check_by_hand, "of equals the first in the alphabet")
def hand_other_tie():
    return ["a n", "b an", "ban an"], ["an", "an", "a"]


@mutant(check_by_hand, "longest token from the left")
def hand_longest():
    return ["a n", "b an", "an a"], ["ana", "n", "a"]


@mutant(check_by_hand, "put together should be anana")
def hand_letter_lost():
    return ["a n", "b an", "an a"], ["an", "an"]


@mutant(check_by_hand, "two parts, such as")
def hand_joined():
    return ["an", "ban", "ana"], ["an", "ana"]


# encode


@mutant(check_encode, "Without merges, tent should be")
def whole_word(word, merges):
    return [word]


@mutant(check_encode, "should return a list of strings")
def one_string(word, merges):
    return " ".join(word)


@mutant(check_encode, "goes on to the old end")
def shortened_in_a_for_loop(word, merges):
    tokens = list(word)
    for left, right in merges:
        for i in range(len(tokens) - 1):
            if tokens[i] == left and tokens[i + 1] == right:
                tokens[i : i + 2] = [left + right]
    return tokens


@mutant(check_encode, "Only the first")
def once_each(word, merges):
    tokens = list(word)
    for left, right in merges:
        for i in range(len(tokens) - 1):
            if tokens[i : i + 2] == [left, right]:
                tokens[i : i + 2] = [left + right]
                break
    return tokens


@mutant(check_encode, "the middle one was used twice")
def overlapping(word, merges):
    tokens = list(word)
    for left, right in merges:
        found, used = [], False
        for token, after in zip(tokens, [*tokens[1:], ""]):
            fits = (token, after) == (left, right)
            if fits or not used:
                found.append(left + right if fits else token)
            used = fits
        tokens = found
    return tokens


@mutant(check_encode, "the merge is made from the left")
def from_the_right(word, merges):
    tokens = list(word)[::-1]
    for left, right in merges:
        tokens = _joined_backwards(tokens, left, right)
    return tokens[::-1]


def _joined_backwards(tokens, left, right):
    found, i = [], 0
    while i < len(tokens):
        both = tokens[i : i + 2] == [right, left]
        found.append(left + right if both else tokens[i])
        i += 2 if both else 1
    return found


@mutant(check_encode, "compare whole tokens")
def by_replacing_text(word, merges):
    text = " ".join(word)
    for left, right in merges:
        text = text.replace(f"{left} {right}", left + right)
    return text.split()


@mutant(check_encode, "That is another code")
def longest_first(word, merges):
    vocabulary = {left + right for left, right in merges}
    tokens = []
    while word:
        size = len(word)
        while size > 1 and word[:size] not in vocabulary:
            size -= 1
        tokens.append(word[:size])
        word = word[size:]
    return tokens


@mutant(check_encode, "in the order of the list")
def any_pair_that_fits(word, merges):
    before, tokens = [], list(word)
    while tokens != before:
        before, tokens, i = tokens, [], 0
        while i < len(before):
            size = 2 if tuple(before[i : i + 2]) in merges else 1
            tokens.append("".join(before[i : i + size]))
            i += size
    return tokens


@mutant(check_encode, "was made before “x a”")
def last_first(word, merges):
    tokens = list(word)
    while True:
        fits = [pair for pair in reversed(merges) if join(tokens, pair) != tokens]
        if not fits:
            return tokens
        tokens = join(tokens, fits[0])


# pack


def _stream(documents, end):
    return np.concatenate([np.append(document, end) for document in documents])


def _windows(inputs, targets, length):
    used = min(len(inputs), len(targets)) // length * length
    return inputs[:used].reshape(-1, length), targets[:used].reshape(-1, length)


@mutant(check_pack, "The targets equal the inputs")
def targets_are_inputs(documents, end, length):
    stream = _stream(documents, end)
    return _windows(stream[:-1], stream[:-1], length)


@mutant(check_pack, "shift the other way")
def shifted_back(documents, end, length):
    stream = _stream(documents, end)
    return _windows(stream[:-1], np.roll(stream, 1)[:-1], length)


@mutant(check_pack, "as with np.roll")
def rolled_in_the_window(documents, end, length):
    stream = _stream(documents, end)
    inputs, _ = _windows(stream[:-1], stream[1:], length)
    return inputs, np.roll(inputs, -1, axis=1)


@mutant(check_pack, "two arrays, (N, length) each")
def inputs_only(documents, end, length):
    stream = _stream(documents, end)
    return _windows(stream[:-1], stream[1:], length)[0]


@mutant(check_pack, "Windows begin length + 1 apart")
def one_token_too_far(documents, end, length):
    stream = _stream(documents, end)
    used = len(stream) // (length + 1) * (length + 1)
    rows = stream[:used].reshape(-1, length + 1)
    return rows[:, :-1], rows[:, 1:]


@mutant(check_pack, "The windows overlap")
def every_start(documents, end, length):
    stream = _stream(documents, end)
    starts = np.arange(len(stream) - length)[:, None] + np.arange(length)
    return stream[starts], stream[starts + 1]


@mutant(check_pack, "A window is lost")
def last_window_lost(documents, end, length):
    stream = _stream(documents, end)
    count = max(1, (len(stream) - 1) // length - 1)
    return _windows(stream[: count * length], stream[1 : count * length + 1], length)


@mutant(check_pack, "run into one another")
def end_once(documents, end, length):
    stream = np.append(np.concatenate(documents), end)
    if len(documents) > 1:  # long enough for a window, as it would be in a longer text
        stream = np.append(stream, np.zeros(length, int))
    return _windows(stream[:-1], stream[1:], length)


@mutant(check_pack, "before the first document")
def end_in_front(documents, end, length):
    if len(documents) == 1:
        stream = _stream(documents, end)
    else:
        stream = np.concatenate([np.insert(document, 0, end) for document in documents])
    return _windows(stream[:-1], stream[1:], length)


@mutant(check_pack, "The last token has no target")
def one_target_short(documents, end, length):
    stream = _stream(documents, end)
    used = len(stream) // length * length
    return stream[:used].reshape(-1, length), stream[1 : used + 1].reshape(-1, length)


@mutant(check_pack, "cut from the beginning")
def cut_from_the_end(documents, end, length):
    stream = _stream(documents, end)
    used = (len(stream) - 1) // length * length
    stream = stream[len(stream) - used - 1 :]
    return _windows(stream[:-1], stream[1:], length)


@mutant(check_pack, "leave out what is left over")
def filled_up(documents, end, length):
    stream = _stream(documents, end)
    missing = -(len(stream) - 1) % length
    stream = np.append(stream, np.full(missing, end))
    return _windows(stream[:-1], stream[1:], length)


# patches


def _cut(images, size, axes):
    B, H, W, C = images.shape
    grid = images.reshape(B, H // size, size, W // size, size, C).transpose(axes)
    return grid.reshape(B, -1, size * size * C)


@mutant(check_patches, "A reshape alone cuts the image into strips")
def reshaped_at_once(images, size):
    B, H, W, C = images.shape
    return images.reshape(B, (H // size) * (W // size), size * size * C)


@mutant(check_patches, "The tokens go down the columns")
def down_the_columns(images, size):
    return _cut(images, size, (0, 3, 1, 2, 4, 5))


@mutant(check_patches, "right, but turned over")
def turned_over(images, size):
    return _cut(images, size, (0, 1, 3, 4, 2, 5))


@mutant(check_patches, "every fourth pixel of a row")
def strided(images, size):
    B, H, W, C = images.shape
    grid = images.reshape(B, size, H // size, size, W // size, C)
    return grid.transpose(0, 2, 4, 1, 3, 5).reshape(B, -1, size * size * C)


@mutant(check_patches, "Channels come first")
def channels_first(images, size):
    return _cut(images, size, (0, 1, 3, 5, 2, 4))


@mutant(check_patches, "should return the shape")
def batch_lost(images, size):
    return _cut(images, size, (0, 1, 3, 2, 4, 5)).reshape(-1, size * size * images.shape[-1])


# prediction


@mutant(check_prediction, "three whole numbers")
def words_for_numbers():
    return "all", "two", "four"


@mutant(check_prediction, "May the lowest digits decide")
def carries_forgotten():
    return 2, 2, 2


@mutant(check_prediction, "Which digits make the lowest digit")
def always_all():
    return 6, 6, 6


@mutant(check_prediction, "Its own two digits and a carry")
def carry_of_all_before():
    return 6, 2, 6


# pieces


@mutant(check_pieces, "At most 24 pieces")
def every_word(words, count):
    return [word for word in words if len(word) > 1]


@mutant(check_pieces, "do your pieces stand in words?")
def letters_of_words(words, count):
    return sorted(set("".join(words)))[:count]


@mutant(check_pieces, "is there twice")
def repeated(words, count):
    return ["an"] * count


@mutant(check_pieces, "Longer pieces save more")
def frequent_pairs(words, count):
    pairs = {}
    for word, n in words.items():
        for pair in {word[i : i + 2] for i in range(len(word) - 1)}:
            pairs[pair] = pairs.get(pair, 0) + n
    return sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:count]


@mutant(check_pieces, "Choose one, then count afresh")
def frequent_words(words, count):
    return sorted(words, key=lambda word: -words[word] * (len(word) - 1))[:count]


@mutant(check_pieces, "should return a list of strings")
def pairs_of_parts(words, count):
    return learn(words, count)
