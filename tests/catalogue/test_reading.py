"""Rows are read strictly, and an error says where."""

import math

import pytest

from minitx import catalogue
from minitx.catalogue import CatalogueError, Measure
from minitx.errors import UserError

EXACT = "kind = 'exact'\ncomparator = '<='\nthreshold = 1e-6"


def test_a_row_and_its_parts_are_read(made_up):
    paper = made_up.parts(
        EXACT,
        """
        kind = "trained"
        seeds = [3, 5]
        over = "mean"
        measure = [
          { name = "slope", comparator = "~", threshold = -2, tolerance = 0.1 },
          { name = "gain", comparator = ">", threshold = 0, unit = "nats" },
        ]
        failure = { reason = "too few steps", seeds = [5] }
        """,
    )
    assert (paper.key, paper.chapter, paper.authors) == ("invented", "made_up", ("A. Nobody",))
    assert paper.part(1).exact
    assert paper.part(1).seeds == (0,)
    assert paper.part(1).measures == (Measure("<=", 1e-6),)
    second = paper.part(2)
    assert (second.seeds, second.over, second.failure.seeds) == ((3, 5), "mean", (5,))
    assert [m.wanted() for m in second.measures] == ["~ -2 (0.1)", "> 0 nats"]
    with pytest.raises(KeyError, match="parts 1, 2, not 3"):
        paper.part(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("year = 2031>year = '2031'", "invented: year expected int, got '2031'"),
        ('title = "An Invented Paper">', "invented: title is missing"),
        ('kind = "system">kind = "blog"', "invented: kind expected one of analysis"),
        ("token_mixer>mixer", "invented: contract expected one of token_mixer"),
        ('arxiv = "">arxiv = "v1"', "invented: arxiv expected the form"),
        ("year = 2031>year = 2031\nclaims = 'x'", "no field claims; perhaps claim"),
        ('["A. Nobody"]>[]', "authors expected at least one"),
        ('["A. Nobody"]>[3]', "authors expected a list of str"),
        ('"invented">"In vented"', "key expected lower case"),
        ("year = 2031>year = 2031\ncode = 'minitx.nn'", "code expected 'module:object'"),
        ("threshold = 1e-6>threshold = '1e-6'", "part 1: threshold expected int or float"),
        ("threshold = 1e-6>", "part 1: threshold is missing"),
        ("'<='>'=<'", "part 1: comparator expected one of <, <=, >, >=, ==, ~"),
        ("'<='>'~'", "part 1: tolerance expected with the comparator ~"),
        ("kind = 'exact'>kind = 'exact'\nseeds = []", "part 1: seeds expected a list of int"),
        ("kind = 'exact'>kind = 'exact'\nmeasure = []", "part 1: there is no field comparator"),
        ("kind = 'exact'>kind = 'exact'\nfailure = {reason = 'x', seeds = [0]}", "not excused"),
        ("kind = 'exact'>kind = 'trained'\nfailure = {reason = '', seeds = [0]}", "a reason"),
        ("kind = 'exact'>kind = 'trained'\nfailure = {reason = 'x', seeds = [1]}", "got \\[1\\]"),
        ("number = 1>number = 2", "parts expected the numbers 1, 2, ..., got \\[2\\]"),
        ("[[paper]]>[[papers]]", "no field papers; perhaps paper"),
        ("[[paper]]>[paper", "made_up.toml: "),
    ],
)
def test_a_mistake_is_named_with_its_place(made_up, change, message):
    made_up.parts(EXACT)
    text = (made_up.folder / "made_up.toml").read_text()
    old, new = change.split(">", 1) if "'=<'" not in change else ("'<='", "'=<'")
    assert old in text
    with pytest.raises(CatalogueError, match=r"made_up\.toml") as caught:
        made_up.rows(text.replace(old, new))
    assert caught.match(message)


def test_a_row_without_parts_is_refused(made_up):
    with pytest.raises(CatalogueError, match="part is missing"):
        made_up.parts()


def test_a_key_is_given_once(made_up):
    made_up.parts(EXACT)
    text = (made_up.folder / "made_up.toml").read_text()
    with pytest.raises(CatalogueError, match=r"invented: the key is in made_up\.toml already"):
        made_up.rows(text + text)


def test_an_unknown_key_names_near_ones():
    with pytest.raises(KeyError, match="near it: transformer_xl"):
        catalogue.find("transformerxl")
    with pytest.raises(KeyError, match="`minitx papers` lists all"):
        catalogue.find("0123456789")
    assert catalogue.find("urpe").year == 2022


def test_search_wants_every_word_in_any_case():
    assert [paper.key for paper in catalogue.search("ATTENTIVE dai")] == ["transformer_xl"]
    assert catalogue.search("channel mixer grouped")[0].key == "groupbert"
    assert catalogue.search("attentive nobody") == []


@pytest.mark.parametrize(
    ("comparator", "good", "bad", "worst"),
    [
        ("<", 1.9, 2.0, 2.5),
        ("<=", 2.0, 2.1, 2.5),
        (">", 2.1, 2.0, 1.5),
        (">=", 2.0, 1.9, 1.5),
        ("==", 2.0, 2.0000001, 2.5),
        ("~", 2.1, 2.2, 1.5),
    ],
)
def test_measures(comparator, good, bad, worst):
    measure = Measure(comparator, 2.0, tolerance=0.125 if comparator == "~" else 0.0)
    assert measure.holds(good)
    assert not measure.holds(bad)
    assert not measure.holds(math.nan)
    assert measure.worst([2.0, worst, 2.01]) == (worst if comparator != "<=" else 2.5)
    assert math.isnan(measure.worst([2.0, math.nan, worst]))


def test_papers_command(capsys):
    from minitx.cli import main

    assert main(["papers"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(catalogue.load())
    assert main(["papers", "Toeplitz", "nothing", "of", "the", "kind"]) == 1
    assert "no paper has all of" in capsys.readouterr().err
    assert main(["papers", "urpe"]) == 0
    text = capsys.readouterr().out
    assert "Shengjie Luo" in text
    assert "part 2" in text
    assert ">= 0.95 accuracy" in text


def test_user_error_is_what_the_commands_raise():
    from minitx.commands import claim

    with pytest.raises(UserError, match="near it: polycom"):
        claim._papers(["polycon"])
