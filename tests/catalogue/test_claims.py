"""What comes of a claim: held, recorded failure, failure, missing part, stale result."""

import json

import pytest

from minitx import catalogue
from minitx.catalogue import results
from minitx.cli import main
from minitx.experiments import rotation, run_claim, run_part, status

EXACT = "kind = 'exact'\ncomparator = '<='\nthreshold = 1e-6"
TRAINED = "kind = 'trained'\ncomparator = '>='\nthreshold = 0.9\nseeds = [0, 1, 2]"
FAILURE = "\nfailure = { reason = 'one seed gets stuck', seeds = [1] }"
GOOD = """
@part(1)
def exact(seed):
    return 1e-7

@part(2)
def trained(seed):
    return 0.93 + seed / 100
"""
STUCK = GOOD.replace("0.93 + seed / 100", "0.5 if seed == 1 else 0.93")


def claim(capsys, *arguments):
    code = main(["claim", *arguments])
    return code, capsys.readouterr().out.splitlines()


def test_all_parts_hold(made_up, capsys):
    made_up.parts(EXACT, TRAINED)
    made_up.experiment(GOOD)
    code, lines = claim(capsys, "invented")
    assert code == 0
    assert len(lines) == 2
    assert lines[0].startswith("invented 1  exact  1e-07 <= 1e-06  seeds 0  ")
    assert lines[1].startswith("invented 2  trained  0.93 >= 0.9  seeds 0,1,2  ")
    assert lines[1].endswith(" s  held")


def test_a_failure_that_is_not_recorded(made_up, capsys):
    made_up.parts(EXACT, TRAINED)
    made_up.experiment(STUCK)
    code, lines = claim(capsys, "invented")
    assert code == 1
    assert "0.5 >= 0.9" in lines[1]
    assert lines[1].endswith("failed: seeds 1")


def test_a_failure_as_recorded(made_up, capsys):
    made_up.parts(EXACT, TRAINED + FAILURE)
    made_up.experiment(STUCK)
    code, lines = claim(capsys, "invented")
    assert code == 3
    assert lines[1].endswith("failed as recorded: seeds 1; one seed gets stuck")
    assert claim(capsys, "invented", "--part", "1")[0] == 0
    assert claim(capsys, "invented", "--seeds", "1")[0] == 3
    assert claim(capsys, "invented", "--seeds", "0", "2")[0] == 0


def test_another_seed_than_the_recorded_ones_may_not_fail(made_up, capsys):
    made_up.parts(EXACT, TRAINED + FAILURE)
    made_up.experiment(STUCK.replace("seed == 1", "seed > 0"))
    assert claim(capsys, "invented")[0] == 1


def test_a_recorded_failure_that_holds_is_not_what_was_recorded(made_up, capsys):
    made_up.parts(EXACT, TRAINED + FAILURE)
    made_up.experiment(GOOD)
    code, lines = claim(capsys, "invented")
    assert code == 1
    assert lines[1].endswith("held but recorded as failed")


def test_an_exact_failure_is_never_excused(made_up, capsys):
    made_up.parts(EXACT, TRAINED + FAILURE)
    made_up.experiment(STUCK.replace("1e-7", "1e-5"))
    assert claim(capsys, "invented")[0] == 1


def test_a_missing_part_and_a_missing_experiment(made_up, capsys):
    made_up.parts(EXACT, TRAINED)
    code, lines = claim(capsys, "invented")
    assert code == 1
    assert len(lines) == 2
    assert all("missing: there is no module" in line for line in lines)
    made_up.experiment(GOOD.replace("@part(2)", ""))
    code, lines = claim(capsys, "invented")
    assert code == 1
    assert "missing" in lines[1]
    assert "held" in lines[0]


def test_a_part_that_the_row_does_not_have(made_up, capsys):
    made_up.parts(EXACT)
    made_up.experiment(GOOD)
    code, lines = claim(capsys, "invented")
    assert code == 1
    assert lines[1] == "invented 2  not in the catalogue"


@pytest.mark.parametrize(
    "value", ["float('nan')", "1 / 0", "'many'", "{'value': 1.0, 'more': 2.0}"]
)
def test_nonsense_does_not_hold(made_up, capsys, value):
    made_up.parts(EXACT)
    made_up.experiment(f"@part(1)\ndef exact(seed):\n    return {value}\n")
    assert claim(capsys, "invented")[0] == 1


def test_two_functions_of_one_number_are_an_error(made_up, capsys):
    made_up.parts(EXACT)
    made_up.experiment(GOOD.replace("@part(2)", "@part(1)"))
    code, lines = claim(capsys, "invented")
    assert code == 1
    assert "has part 1 twice" in lines[0]


def test_several_measures_must_all_hold(made_up, capsys):
    paper = made_up.parts(
        """
        kind = "exact"
        measure = [
          { name = "error", comparator = "<=", threshold = 1e-6 },
          { name = "slope", comparator = "~", threshold = -2, tolerance = 0.1 },
        ]
        """
    )
    made_up.experiment("@part(1)\ndef f(seed):\n    return {'slope': -2.05, 'error': 0.0}\n")
    code, lines = claim(capsys, "invented")
    assert code == 0
    assert "error 0 <= 1e-06; slope -2.05 ~ -2 (0.1)" in lines[0]
    made_up.experiment("@part(1)\ndef f(seed):\n    return {'slope': -2.2, 'error': 0.0}\n")
    assert status(list(run_claim(paper))) == 1


def test_the_mean_over_seeds(made_up):
    mean = TRAINED + "\nover = 'mean'"
    text = "@part(1)\ndef f(seed):\n    return 0.8 + seed / 10\n"
    paper = made_up.parts(mean)
    made_up.experiment(text)
    outcome = run_part(paper, paper.parts[0])
    assert outcome.measured() == [pytest.approx(0.9)]
    assert outcome.values == ((0.8, 0.9, 1.0),)
    assert run_part(paper, paper.parts[0], seeds=[0, 1]).verdict == "failed"


def test_a_failed_mean_is_recorded_for_all_its_seeds_at_once(made_up):
    failure = "\nover = 'mean'\nfailure = { reason = 'slow', seeds = [0, 1, 2] }"
    paper = made_up.parts(TRAINED + failure)
    made_up.experiment("@part(1)\ndef f(seed):\n    return 0.7\n")
    assert run_part(paper, paper.parts[0]).verdict == "failed as recorded"
    assert run_part(paper, paper.parts[0], seeds=[0, 1]).verdict == "failed"


def test_bad_arguments_are_answered_with_status_2(made_up, capsys):
    made_up.parts(EXACT, TRAINED)
    assert main(["claim", "inventd"]) == 2
    assert "near it: invented" in capsys.readouterr().err
    assert main(["claim", "invented", "--part", "7"]) == 2
    assert "has the parts [1, 2], not [7]" in capsys.readouterr().err
    assert main(["claim"]) == 2
    assert main(["claim", "invented", "--write", "--seeds", "9"]) == 2
    assert main(["claim", "--all", "--part", "1"]) == 2
    assert main(["claim", "--changed-since", str(made_up.folder / "none.json")]) == 2


def test_results_are_written_for_trained_parts_and_go_stale(made_up, capsys):
    paper = made_up.parts(EXACT, TRAINED)
    made_up.experiment(GOOD)
    trained = paper.part(2)
    assert results.stale(paper, trained, results.read()) == "no result is recorded"
    assert claim(capsys, "--all", "--write")[0] == 0
    written = json.loads((made_up.folder / "results.json").read_text())
    assert list(written["invented"]) == ["2"]
    result = written["invented"]["2"]
    assert result["passed"] is True
    assert result["seeds"] == [0, 1, 2]
    assert result["measures"] == [
        {
            "name": "value", "comparator": ">=", "threshold": 0.9,
            "value": 0.93, "by_seed": [0.93, 0.9400000000000001, 0.9500000000000001],
        }
    ]  # fmt: skip
    assert {"processor", "cores", "NumPy"} <= set(result["machine"])
    assert results.stale(paper, trained, results.read()) is None

    made_up.experiment(GOOD + "\n# a change\n")
    assert "has changed" in results.stale(paper, trained, results.read())
    made_up.experiment(GOOD)
    bent = made_up.parts(EXACT, TRAINED.replace("0.9", "0.8"))
    assert "something else" in results.stale(bent, bent.part(2), results.read())
    fewer = made_up.parts(EXACT, TRAINED.replace("[0, 1, 2]", "[0]"))
    assert "seeds" in results.stale(fewer, fewer.part(2), results.read())


def test_a_failed_result_is_written_as_failed(made_up, capsys):
    made_up.parts(EXACT, TRAINED)
    made_up.experiment(STUCK)
    assert claim(capsys, "invented", "--write")[0] == 1
    assert results.read()["invented"]["2"]["passed"] is False


def test_line_endings_do_not_make_a_result_stale(made_up):
    paper = made_up.parts(TRAINED)
    made_up.experiment(GOOD)
    before = results.fingerprint(paper)
    path = made_up.folder / "experiments" / "made_up" / "invented.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert results.fingerprint(paper) == before


def test_the_code_of_the_row_is_part_of_the_fingerprint(made_up):
    paper = made_up.parts(TRAINED)
    made_up.experiment(GOOD)
    text = (made_up.folder / "made_up.toml").read_text()
    with_code = made_up.rows(text.replace("year =", "code = 'minitx.errors:UserError'\nyear ="))[0]
    assert results.fingerprint(with_code) != results.fingerprint(paper)
    lost = made_up.rows(text.replace("year =", "code = 'minitx.no_such:Thing'\nyear ="))[0]
    with pytest.raises(FileNotFoundError, match=r"there is no module minitx\.no_such"):
        results.fingerprint(lost)


def test_changed_parts_run_again(made_up, capsys):
    made_up.parts(EXACT, TRAINED)
    made_up.experiment(GOOD)
    claim(capsys, "--all", "--write")
    old = made_up.folder / "old.json"
    old.write_text((made_up.folder / "results.json").read_text())
    assert claim(capsys, "--changed-since", str(old)) == (0, [])
    code, lines = claim(capsys, "--changed-since", str(old), "--sample", "5")
    assert (code, len(lines)) == (0, 1)
    old.write_text("{}")
    code, lines = claim(capsys, "--changed-since", str(old), "--within", "1")
    assert (code, len(lines)) == (0, 1)
    assert lines[0].startswith("invented 2")


def test_the_sample_reaches_every_part_in_turn():
    parts = rotation.trained(catalogue.load())
    assert len(parts) > 7
    days = -(-len(parts) // 3)
    seen = [chosen for day in range(days) for chosen in rotation.sample(parts, 3, day)]
    assert {(paper.key, part.number) for paper, part in seen} == {
        (paper.key, part.number) for paper, part in parts
    }
    assert rotation.sample(parts, 3, 5) != rotation.sample(parts, 3, 6)
    assert rotation.sample(parts[:2], 3, 1) in (parts[:2], parts[1::-1])


def test_as_many_as_fit_into_the_time():
    parts = rotation.trained(catalogue.load())[:3]
    recorded = {
        paper.key: {str(n): {"seconds": 50.0, "hash": "x"} for n in range(1, 10)}
        for paper, _ in parts
    }
    fit, left = rotation.within(parts, recorded, 120)
    assert (fit, left) == (parts[:2], parts[2:])
