"""Programs for the one-instruction computer, as text for the assembler."""

from collections.abc import Sequence

NEGATE = """
x:    .word 42
y:    .word 0
      subleq x y     ; y = 0 - x
      .halt
"""

COPY = """
x:    .word 42
y:    .word 7
t:    .word 0
      subleq y y     ; y = 0
      subleq x t     ; t = -x
      subleq t y     ; y = 0 - (-x)
      .halt
"""

MULTIPLY = """
x:    .word 6
y:    .word 7        ; how many times are still to come
sum:  .word 0
one:  .word 1
neg:  .word 0
z:    .word 0
      subleq x neg   ; neg = -x
loop: subleq z y end ; y -= 0: is there anything left?
      subleq neg sum ; sum += x
      subleq one y   ; y -= 1
      subleq z z loop
end:  .halt
"""

FIBONACCI = """
a:    .word 1
b:    .word 0
n:    .word 5        ; rounds still to come, two numbers each
one:  .word 1
t:    .word 0
z:    .word 0
loop: subleq a t     ; t = -a
      subleq t b     ; b += a
      subleq t t
      subleq b t     ; t = -b
      subleq t a     ; a += b
      subleq t t
      subleq one n end
      subleq z z loop
end:  .halt
"""

DIVIDE = """
x:    .word 89       ; becomes the remainder
d:    .word 7
quot: .word 0
one:  .word 1
minus: .word -1
t:    .word 0
z:    .word 0
      subleq minus x      ; x + 1 is above 0 as long as x is not below it
loop: subleq d x under
      subleq minus quot   ; quot += 1
      subleq z z loop
under: subleq d t         ; once too often: t = -d
      subleq t x          ; x += d
      subleq one x        ; and without the 1
      .halt
"""


def maximum(values: Sequence[int] = (17, -4, 42, 8, 23)) -> str:
    """A program that leaves the largest of ``values`` in the cell ``best``."""
    lines = [f"v{i}: .word {value}" for i, value in enumerate(values)]
    lines += ["best: .word 0", "t: .word 0", "d: .word 0"]
    lines += ["subleq v0 t", "subleq t best", "subleq t t"]
    for i in range(1, len(values)):
        lines += [
            f"subleq v{i} t        ; t = -v{i}",
            "subleq t d           ; d = v",
            f"subleq best d next{i} ; d = v - best: if it is not above 0, there is nothing to do",
            "subleq t t",
            "subleq d t           ; t = best - v",
            "subleq t best        ; best = v",
            f"next{i}: subleq t t",
            "subleq d d",
        ]
    return "\n".join([*lines, ".halt"])


def sort(values: Sequence[int] = (31, 12, 5, -7, -40)) -> str:
    """A program that sorts its cells v0, v1, ...: neighbours change places until none needs to.

    Each pair of neighbours has instructions of its own, because an instruction cannot compute
    where it looks. Differences of neighbours must fit into a word.
    """
    lines = [f"v{i}: .word {value}" for i, value in enumerate(values)]
    lines += ["t: .word 0", "d: .word 0", "z: .word 0", "changes: .word 0", "minus: .word -1"]
    lines += ["pass: subleq changes changes"]
    for i in range(len(values) - 1):
        low, high = f"v{i}", f"v{i + 1}"
        lines += [
            f"subleq {low} t         ; t = -low",
            "subleq t d          ; d = low",
            f"subleq {high} d next{i}  ; d = low - high: if it is not above 0, they are in order",
            f"subleq d {low}         ; low = high",
            "subleq t t",
            "subleq d t",
            f"subleq t {high}        ; high = high + d, the old low",
            "subleq minus changes",
            f"next{i}: subleq t t",
            "subleq d d",
        ]
    lines += ["subleq z changes end ; changes -= 0: were there any?", "subleq z z pass"]
    return "\n".join([*lines, "end: .halt"])


EXAMPLES = {
    "negate": NEGATE,
    "copy": COPY,
    "multiply": MULTIPLY,
    "divide": DIVIDE,
    "Fibonacci": FIBONACCI,
    "maximum": maximum(),
    "sort": sort(),
}
