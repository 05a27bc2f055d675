"""Mistakes in the exercises of chapter ``programs``."""

import numpy as np

from minitx.checks.mutants import mutant
from minitx.checks.programs import (
    check_adder,
    check_by_hand,
    check_gcd,
    check_prediction,
    check_program,
)

RIGHT = (1 / 12, 1 / 12, 9 / 12, 1 / 12)


@mutant(check_by_hand, "These are the weights for address 1")
def hand_address():
    return (0.81, 0.01, 0.09, 0.09), -0.75, 3, 3


@mutant(check_by_hand, "half of lambda times the code")
def hand_twice():
    return (1 / 84, 1 / 84, 81 / 84, 1 / 84), -0.75, 3, 3


@mutant(check_by_hand, "These are the exponentials")
def hand_no_sum():
    return (1, 1, 9, 1), -0.75, 3, 3


@mutant(check_by_hand, "it takes a part")
def hand_no_scratchpad():
    return (1 / 11, 1 / 11, 9 / 11, 0), -9 / 11, 3, 3


@mutant(check_by_hand, "what is meant to be heard")
def hand_hard():
    return RIGHT, -1, 3, 3


@mutant(check_by_hand, "The sign is turned over")
def hand_sign():
    return RIGHT, 0.75, 3, 3


@mutant(check_by_hand, "the 1 is still missing")
def hand_no_one():
    return RIGHT, -0.75, 2, 2


@mutant(check_by_hand, "turn its bits over first")
def hand_not_turned():
    return RIGHT, -0.75, 8, 0


@mutant(check_by_hand, "three bits have no -5")
def hand_no_wrap():
    return RIGHT, -0.75, 3, -5


def _adder(N, steps=((1, 1), (2, -1), (3, 1)), slope=2.0, scale=2.0, constant=-1.0, reach=8):
    """A layer whose bit j has a step of each sign at each multiple of 2^j."""
    up, bias, down = [], [], []
    for j in range(N):
        used = (np.arange(N) <= j) & (np.arange(N) >= j - reach)
        powers = np.where(used, 2.0 ** np.arange(N), 0)
        for multiple, sign in steps:
            shift = powers.sum() - multiple * 2**j + 0.5
            for half, side in ((0.5, sign), (-0.5, -sign)):
                up.append(slope * np.tile(powers / 2, 2))
                bias.append(slope * shift + half)
                down.append(scale * side * (np.arange(N) == j))
    return np.array(up).T, np.array(bias), np.array(down), np.full(N, constant)


@mutant(check_adder, "come out as 0 and 1")
def adder_zero_one(N):
    return _adder(N, scale=1.0, constant=0.0)


@mutant(check_adder, "and it is")
def adder_turned(N):
    up, bias, down, constant = _adder(N)
    return up.T, bias, down, constant


@mutant(check_adder, "`return up, bias, down, constant`")
def adder_no_constant(N):
    return _adder(N)[:3]


@mutant(check_adder, "bit 0 is on for S = 1")
def adder_one_step(N):
    return _adder(N, steps=((2, 1),))


@mutant(check_adder, "does not hear of the carry")
def adder_no_carry(N):
    """Each bit looks at the two bits of its own place alone."""
    return _adder(N, reach=0)


@mutant(check_adder, "that is a third step")
def adder_two_steps(N):
    """The bit goes on at 2^j and off at twice that, and stays off."""
    return _adder(N, steps=((1, 1), (2, -1)))


@mutant(check_adder, "Two bits are right, more are not")
def adder_short_carry(N):
    """A carry comes from the bit below, and from no further."""
    return _adder(N, reach=1)


@mutant(check_adder, "flat on both sides")
def adder_steep(N):
    """The step climbs from one whole number all the way to the next."""
    return _adder(N, slope=1.0)


PLAIN = """
x: .word 0
y: .word 0
d: .word 0
t: .word 0
z: .word 0
   subleq x t
   subleq t d
   subleq y d
"""  # d = x - y, and t = -x


@mutant(check_program, "the text of a program")
def program_a_list():
    return PLAIN.splitlines()


@mutant(check_program, "The assembler says: line")
def program_no_halt():
    return PLAIN


@mutant(check_program, "There is no cell called d")
def program_no_d():
    return PLAIN.replace("d", "e").replace(".wore", ".word") + ".halt"


@mutant(check_program, "It does not fit into the machine")
def program_too_long():
    return PLAIN + "subleq z z\n" * 60 + ".halt"


@mutant(check_program, "an endless loop")
def program_for_ever():
    return PLAIN + "again: subleq z z\n subleq z z again\n.halt"


@mutant(check_program, "it brings the negative of a")
def program_turned():
    """Leaves y - x."""
    return PLAIN.replace("subleq x t", "subleq y t").replace("subleq y d", "subleq x d") + ".halt"


@mutant(check_program, "its sign must be turned over")
def program_one_side():
    """Leaves x - y, whichever is larger."""
    return PLAIN + ".halt"


ABSOLUTE = """
x: .word 0
y: .word 0
d: .word 0
t: .word 0
z: .word 0
       subleq x t
       subleq t d
       subleq y d      ; d = x - y
       subleq z d minus
       .halt
minus: subleq t t
       subleq d t      ; t = -d
       subleq d d
       subleq t z
       subleq z d      ; d = t
       .halt
"""


@mutant(check_program, "A result of 0 jumps")
def program_never_zero():
    """Numbers that are equal are one apart for it."""
    after = "subleq t t\nsubleq t d equal\n.halt\nequal: subleq one d\n.halt\none: .word -1"
    return ABSOLUTE.removesuffix(".halt\n") + after


@mutant(check_program, "not the signs of x and y themselves")
def program_positive_numbers():
    """Takes an x that is not above 0 for 0."""
    short = "start: subleq z x zero"
    return (
        ABSOLUTE.replace("       subleq x t", f"{short}\n subleq x t", 1)
        + """
zero:  subleq y t
       subleq t d
       .halt
"""
    )


@mutant(check_prediction, "should return two numbers")
def one_number():
    return 7


@mutant(check_prediction, "is above 0")
def no_lead():
    return 0, 0


@mutant(check_prediction, "e is the base")
def base_two():
    return 10, 2.6


@mutant(check_prediction, "when are these equal")
def far_too_much():
    return 16, 2.6


@mutant(check_prediction, "for codes as well")
def no_difference():
    return 6.9, 6.9


@mutant(check_prediction, "counts the ten neighbours alone")
def neighbours_alone():
    return 6.93, 3.0


@mutant(check_prediction, "When is (1 + e^-lambda)^10 = 2?")
def a_bit_each():
    return 6.93, 0.69


EUCLID = """
x: .word 0
y: .word 0
g: .word 0
t: .word 0
z: .word 0
loop:  subleq y x under
       subleq z z loop
under: subleq y t
       subleq t x      ; x as it was: not above y
       subleq t t
       subleq x y done
       subleq z z loop
done:  subleq x t
       subleq t g
       .halt
"""


@mutant(check_gcd, "Equal numbers are their own")
def gcd_no_answer():
    """The answer is left in x, and g is forgotten."""
    return EUCLID.replace("subleq t g", "subleq z z")


@mutant(check_gcd, "and keep it")
def gcd_first():
    return "x: .word 0\ny: .word\ng: .word\nt: .word\nsubleq x t\nsubleq t g\n.halt"


@mutant(check_gcd, "must take its turn")
def gcd_smaller():
    """The smaller of the two."""
    return """
x: .word
y: .word
g: .word
t: .word
u: .word
        subleq x t
        subleq y u
        subleq y x first
        subleq u g      ; x was larger: g = y
        .halt
first:  subleq t g
        .halt
"""


@mutant(check_gcd, "an endless loop")
def gcd_never_equal():
    """Waits for a number below 0, which never comes."""
    return EUCLID.replace("subleq x y done", "subleq x y\nsubleq z y loop")


@mutant(check_gcd, "The assembler says: line")
def gcd_no_label():
    return EUCLID.replace("under:", "other:")
