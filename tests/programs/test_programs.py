"""The one-instruction computer: its parts, its assembler, and its whole against an interpreter."""

import re
from itertools import islice

import numpy as np
import pytest

from minitx import Tensor
from minitx.autograd.graph import no_grad
from minitx.depth import Loop
from minitx.experiments.looped.looped_computer import mismatches, random_program
from minitx.nn.module import record
from minitx.programs import (
    AssemblyError,
    Frames,
    Layout,
    NeverHalts,
    Program,
    SubleqMachine,
    assemble,
    copied,
    from_bits,
    interpret,
    load_programs,
    read_state,
    run,
    step_through,
    to_bits,
)
from minitx.programs.examples import COPY, DIVIDE, EXAMPLES, MULTIPLY, NEGATE, maximum, sort
from minitx.programs.wiring import Neurons

MACHINE = SubleqMachine()


def named(snapshot, program):
    return {name: snapshot.cells[place] for name, place in program.names.items()}


# --------------------------------------------------------------------------------- bits and fields


def test_bits_are_twos_complement():
    values = np.arange(-128, 128)
    bits = to_bits(values, 8)
    assert set(np.unique(bits)) == {-1.0, 1.0}
    np.testing.assert_array_equal(from_bits(bits, signed=True), values)
    as_bytes = np.unpackbits(values.astype(np.int8).view(np.uint8)[:, None], 1, bitorder="little")
    np.testing.assert_array_equal(bits > 0, as_bytes)
    np.testing.assert_array_equal(from_bits(bits), values % 256)


def test_fields_do_not_overlap_and_fill_the_column():
    layout = Layout(5, 7)
    names = "code scratch memory word instruction pc a b c x y difference flag next new".split()
    np.testing.assert_array_equal(layout.rows(*names), np.eye(layout.width))
    with pytest.raises(KeyError, match="no field 'z'; there are code"):
        layout["z"]
    with pytest.raises(ValueError, match="two bits or more, got 1, 8"):
        Layout(1, 8)


# ------------------------------------------------------------------------- units written by hand


def test_a_step_rounds_and_an_eraser_leaves_nothing():
    neurons = Neurons(3)
    neurons.step(np.array([1.0, 0, 0]), -0.5, np.array([0, 2.0, 0]))
    neurons.erase(np.eye(3)[2:])
    x = np.array([[[0.0, 5, 7], [0.24, 5, -7], [0.76, 5, 0.1], [1.3, 5, 0], [0.5, 5, 1]]])
    y = x + neurons.mlp()(Tensor(x)).numpy()
    np.testing.assert_allclose(y[0, :, 1] - 5, [0, 0, 2, 2, 1], atol=1e-6)
    np.testing.assert_allclose(y[0, :, 2], 0, atol=1e-6)
    np.testing.assert_allclose(y[0, :, 0], x[0, :, 0])


def scratch_after(state, block, machine=MACHINE):
    """The scratchpad's fields, read as numbers, after one block of a cycle."""
    with no_grad(), record(machine) as tape:
        machine(state)
    row, layout = tape[f"blocks.{block}.output"].numpy()[:, 0], machine.layout
    return {f: from_bits(row[:, layout[f]], f in "x y difference".split())
            for f in "pc a b c x y difference flag next".split()}  # fmt: skip


def test_every_subtraction_of_two_bytes():
    values = np.arange(-128, 128)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    layout, arithmetic = MACHINE.layout, MACHINE.blocks[1].sublayers[2]
    state = np.zeros((1, x.size, layout.width))
    state[0, :, layout["scratch"]] = 1
    state[0, :, layout["x"]], state[0, :, layout["y"]] = to_bits(x, 8), to_bits(y, 8)
    state[0, :, layout["pc"]] = to_bits(np.arange(x.size) % 64, 6)
    found = arithmetic(Tensor(state)).numpy()[0]
    with np.errstate(over="ignore"):
        want = y.astype(np.int8) - x.astype(np.int8)  # wraps round, as bytes do
    np.testing.assert_array_equal(from_bits(found[:, layout["difference"]], signed=True), want)
    np.testing.assert_array_equal(found[:, layout["flag"]][:, 0], want <= 0)
    np.testing.assert_array_equal(from_bits(found[:, layout["next"]]), (np.arange(x.size) + 1) % 64)
    for field in ("difference", "next"):
        np.testing.assert_array_equal(np.abs(found[:, layout[field]]), 1)


def test_units_count_in_the_scratchpad_alone():
    state = load_programs([assemble(COPY)], MACHINE.layout)
    with no_grad(), record(MACHINE) as tape:
        MACHINE(state)
    layout = MACHINE.layout
    for block, fields in ((0, "a b c"), (1, "x y difference flag next")):
        after = tape[f"blocks.{block}.output"].numpy()[0]
        for field in fields.split():
            np.testing.assert_array_equal(after[1:, layout[field]], 0)


def test_a_cycle_fetches_loads_and_decides():
    program = Program((9, 50, -3), ((2, 1, 2), (0, 0, 1), (0, 0, 2)))
    state = load_programs([program], MACHINE.layout)
    fetched = scratch_after(state, 0)
    assert [fetched[k][0] for k in "abc"] == [1 + 2, 1 + 1, 1 + 3 + 2]  # columns
    loaded = scratch_after(state, 1)
    assert (loaded["x"][0], loaded["y"][0], loaded["difference"][0]) == (-3, 50, 53)
    assert (loaded["flag"][0], loaded["next"][0]) == (0, 1 + 3 + 1)


def test_after_a_cycle_only_memory_and_the_counter_have_changed():
    program = assemble(MULTIPLY)
    before, layout = load_programs([program], MACHINE.layout), MACHINE.layout
    after = Loop(MACHINE, 7)(before).numpy()[0]
    kept = ["code", "scratch", "memory", "instruction"]
    rows = layout.rows(*kept).T
    np.testing.assert_array_equal(after @ rows, before.numpy()[0] @ rows)
    wiped = layout.rows(*"a b c x y difference flag next new".split()).T
    assert np.abs(after @ wiped).max() < 1e-6
    assert np.abs(np.abs(after[1 : 1 + len(program.cells), layout["word"]]) - 1).max() < 1e-5
    assert not after[1 + len(program.cells) :, layout["word"]].any()


# ------------------------------------------------------------------------------------- the whole


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_cycle_equals_the_interpreter(name):
    program = assemble(EXAMPLES[name])
    for snapshot, (pc, cells) in zip(step_through(MACHINE, program), interpret(program)):
        assert (snapshot.pc, snapshot.cells) == (pc, cells), snapshot.cycle


def test_programs_compute_what_they_say():
    rng = np.random.default_rng(0)
    for x, y in rng.integers(1, 11, (4, 2)).tolist():
        given = assemble(MULTIPLY).given(x=x, y=y)
        assert named(run(MACHINE, given), given)["sum"] == x * y
        given = assemble(DIVIDE).given(x=9 * x, d=y)
        cells = named(run(MACHINE, given), given)
        assert (cells["quot"], cells["x"]) == divmod(9 * x, y)
    given = assemble(MULTIPLY).given(y=0)
    assert named(run(MACHINE, given), given)["sum"] == 0
    assert named(run(MACHINE, assemble(NEGATE)), assemble(NEGATE))["y"] == -42
    for _ in range(3):
        values = rng.integers(-60, 60, 5).tolist()
        program = assemble(maximum(values))
        assert named(run(MACHINE, program), program)["best"] == max(values)
        program = assemble(sort(values))
        assert list(run(MACHINE, program).cells[:5]) == sorted(values)


def test_random_programs():
    """Two hundred here; a thousand are a part of the claim."""
    rng = np.random.default_rng(1)
    drawn = [random_program(rng) for _ in range(200)]
    assert not mismatches(MACHINE, drawn, 20).any()
    others = np.mean([len({cells for _, cells in islice(interpret(p), 20)}) for p in drawn])
    assert others > 4  # they are not all asleep


def test_other_sizes_of_address_and_word():
    machine, rng = SubleqMachine(Layout(address_bits=5, word_bits=11)), np.random.default_rng(2)
    for _ in range(20):
        cells = tuple(rng.integers(-1024, 1024, 7).tolist())
        program = Program(cells, random_program(rng, 7, 11).code, word_bits=11)
        assert not mismatches(machine, [program], 15).any()


def test_programs_of_a_batch_do_not_hear_one_another():
    programs = [assemble(EXAMPLES[name]) for name in ("negate", "sort", "divide")]
    together = Loop(MACHINE, 9)(load_programs(programs, MACHINE.layout)).numpy()
    for state, program in zip(together, programs):
        alone = Loop(MACHINE, 9)(load_programs([program], MACHINE.layout)).numpy()[0]
        layout = MACHINE.layout
        assert read_state(state, program, layout) == read_state(alone, program, layout)


def test_the_weights_are_the_same_whatever_runs():
    before = MACHINE.fingerprint()
    run(MACHINE, assemble(DIVIDE))
    assert MACHINE.fingerprint() == before == SubleqMachine().fingerprint()
    assert SubleqMachine(sharpness=17).fingerprint() != before
    assert not MACHINE.parameters()  # nothing here is trained
    copy = SubleqMachine(sharpness=3, tidy=None)
    copy.load_state_dict(MACHINE.state_dict())
    assert copy.fingerprint() == before


def test_without_rounding_errors_add_up():
    long = assemble(MULTIPLY).given(x=1, y=60)
    lead = np.log(64) + 2
    assert not mismatches(SubleqMachine(sharpness=lead), [long], 240).any()
    assert mismatches(SubleqMachine(sharpness=lead, tidy=copied), [long], 240).sum() > 50
    assert not mismatches(SubleqMachine(sharpness=30, tidy=copied), [long], 60).any()


def test_frames_show_every_cycle_without_a_script():
    program = assemble(MULTIPLY).given(x=5, y=2)
    frames = Frames(MACHINE, program)
    cycles = run(MACHINE, program).cycle
    page, text = frames._repr_html_(), repr(frames)
    assert page.count("<section>") == page.count('type="radio"') == cycles + 1
    assert page.count(" checked") == 1
    assert "<script" not in page
    assert "http" not in page
    targets = set(re.findall(r'for="([^"]+)"', page))
    assert targets == set(re.findall(r' id="([^"]+)"', page))
    assert text.count("\n") == 2 * (cycles + 1) - 1
    assert "x 5  y 2  sum 0  one 1  neg -5  z 0" in text
    assert "0 - (-5) = 5: go on" in text
    endless = assemble("x: .word 1\nhere: subleq x x\nsubleq x x here\n.halt")
    assert len(Frames(MACHINE, endless, limit=7).frames) == 8


def test_a_listing_can_be_assembled_again():
    for text in EXAMPLES.values():
        program = assemble(text)
        cells = "\n".join(f"{n}: .word {program.cells[i]}" for n, i in program.names.items()
                          if n[0] != "_")  # fmt: skip
        again = assemble(cells + "\n" + "\n".join(program.listing()))
        assert again.code == program.code


# ------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x: .word 1\nx: .word 2\n.halt", "line 2: there are two labels 'x'"),
        ("x: .word 1\nx: subleq x x\n.halt", "line 2: there are two labels 'x'"),
        ("x: .word 128\n.halt", "line 1: 128 does not fit into 8 bits: -128 to 127"),
        ("x: .word 1.5\n.halt", "line 1: .word expected whole numbers, got '1.5'"),
        ("x: .word 1\nsubleq x y\n.halt", "line 2: the operand 'y' is not there; cells: x"),
        ("x: .word 1\nsubleq x 1\n.halt", "line 2: the operand '1' is outside the memory of 1 c"),
        ("x: .word 1\nsubleq x x+4\n.halt", "line 2: the operand 'x[+]4' is outside the memory"),
        ("x: .word\nl: subleq l x\n.halt", "line 2: the operand 'l' is an instruction, and not"),
        ("x: .word 1\nsubleq x x 7\n.halt", "line 2: the jump to '7' is outside the program"),
        ("x: .word 1\nsubleq x x go\n.halt", "line 2: the jump to 'go': it is not there; labels: "),
        ("x: .word 1\nsubleq x x x\n.halt", "the jump to 'x': it is a cell, and not an instr"),
        ("x: .word 1\nsubleq x x", "line 2: the program runs off its end here"),
        ("x: .word 1\ny: .word\nl: subleq x y l", "line 3: the program runs off its end"),
        ("x: .word 1\nsubleq x\n.halt", "line 2: subleq expected a, b and perhaps c, got"),
        ("x: .word 1\nadd x x\n.halt", "line 2: expected subleq, .word or .halt, got 'add'"),
        ("x: .word 1\n.halt x", "line 2: .halt expected nothing after it"),
        ("x: .word 1\nsubleq x -x\n.halt", r"expected a label, a label\+1 or a number, got '-x'"),
        ("1x: .word 1\n.halt", "line 1: a label expected letters, digits and _, got '1x'"),
        ("x: .word 1\n.halt\nend:", "the label 'end' stands at the end and names nothing"),
        ("x: .word 1", "no instruction"),
        ("", "no instruction"),
    ],
)
def test_the_assembler_names_the_line_and_the_mistake(text, says):
    with pytest.raises(AssemblyError, match=says):
        assemble(text)


def test_labels_commas_offsets_and_comments():
    program = assemble("""
    v: w:  .word 3 -4, 5    ; three cells and two names
    start: subleq v+2, w+1 start
           SUBLEQ 0 1
           .halt
    """)
    assert program.cells == (3, -4, 5, 0)
    assert program.code == ((2, 1, 0), (0, 1, 2), (3, 3, 2))
    assert program.labels == {"start": 0}


def test_a_program_made_by_hand_is_held_to_the_same():
    for cells, code, says in (
        ((1,), ((0, 1, 0),), "instruction 0: operand 1 is outside the memory, cells 0 to 0"),
        ((1,), ((0, 0, 1),), "instruction 0: jump to 1 is outside the program"),
        ((200,), ((0, 0, 0),), "cell 0: expected a value from -128 to 127, got 200"),
        ((1, 2), ((0, 1, 0),), "the last instruction may go on to the one after it"),
        ((1,), (), "expected at least one instruction"),
    ):
        with pytest.raises(ValueError, match=says):
            Program(cells, code)
    with pytest.raises(KeyError, match="no cell is called 'q'; there are x, y"):
        assemble(NEGATE).given(q=3)
    with pytest.raises(ValueError, match="expected a value from -128 to 127, got 999"):
        assemble(NEGATE).given(x=999)


def test_a_program_that_never_halts_is_stopped_and_told():
    program = assemble("n: .word 5\none: .word -1\nhere: subleq one n\nsubleq n n here\n.halt")
    with pytest.raises(NeverHalts) as caught:
        run(MACHINE, program, limit=40)
    said = str(caught.value)
    assert "no .halt was reached in 40 cycles" in said
    assert r"0 (here), 1; in the end n = 0, one = -1" in said
    assert run(MACHINE, assemble(NEGATE), limit=1).cycle == 1
    with pytest.raises(NeverHalts, match="in 0 cycles"):
        run(MACHINE, assemble(NEGATE), limit=0)


def test_a_program_too_large_or_of_other_words():
    text = "x: .word 1\n" + "subleq x x\n" * 62 + ".halt"
    with pytest.raises(ValueError, match=r"needs 66 columns .a scratchpad, 2 cells, 63 instr"):
        run(MACHINE, assemble(text))
    with pytest.raises(ValueError, match="expected words of 8 bits, and the program has 9"):
        run(MACHINE, assemble(NEGATE, word_bits=9))
