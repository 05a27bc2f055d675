"""Run the parts of a claim and say whether they hold."""

import importlib
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from minitx.catalogue import Paper, Part
from minitx.catalogue.results import experiment, file_of, fingerprint, wanted

HELD = "held"
FAILED = "failed"
RECORDED = "failed as recorded"
REVIVED = "held but recorded as failed"
MISSING = "missing"
UNLISTED = "not in the catalogue"
ERROR = "error"


def part(number: int) -> Callable[[Callable], Callable]:
    """Mark a function ``f(seed) -> float | dict[str, float]`` as part ``number`` of its claim."""

    def mark(function: Callable) -> Callable:
        function.part_number = number
        return function

    return mark


def parts_of(module: ModuleType) -> dict[int, Callable]:
    """number -> function, for the marked functions that are defined in ``module``."""
    found: dict[int, Callable] = {}
    for function in vars(module).values():
        number = getattr(function, "part_number", None)
        if number is None or getattr(function, "__module__", None) != module.__name__:
            continue
        if number in found:
            raise ValueError(f"{module.__name__} has part {number} twice")
        found[number] = function
    return found


@dataclass(frozen=True)
class Outcome:
    """What came of one part: values[i][j] is the i-th measure with the j-th seed."""

    paper: Paper
    number: int
    verdict: str
    seeds: tuple[int, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()
    seconds: float = 0.0
    message: str = ""

    @property
    def part(self) -> Part:
        return self.paper.part(self.number)

    def measured(self) -> list[float]:
        """One number a measure: the mean over seeds, or the worst seed's where each must hold."""
        if self.part.over == "mean":
            return [sum(values) / len(values) for values in self.values]
        return [m.worst(values) for m, values in zip(self.part.measures, self.values)]

    def line(self) -> str:
        """Key, number, measured, comparator, threshold, seeds, seconds and verdict, in one line."""
        head = f"{self.paper.key} {self.number}"
        verdict = self.verdict + (f": {self.message}" if self.message else "")
        if self.verdict in (MISSING, UNLISTED):
            return f"{head}  {verdict}"
        numbers = self.measured() if self.values else [None] * len(self.part.measures)
        texts = []
        for measure, number in zip(self.part.measures, numbers):
            name = f"{measure.name} " if len(self.part.measures) > 1 else ""
            texts.append(f"{name}{'-' if number is None else f'{number:.4g}'} {measure.wanted()}")
        seeds = f"{self.part.over} of " if len(self.seeds) > 1 and self.part.over == "mean" else ""
        seeds += ",".join(map(str, self.seeds))
        return (
            f"{head}  {self.part.kind}  {'; '.join(texts)}  seeds {seeds}  "
            f"{self.seconds:.1f} s  {verdict}"
        )

    def result(self, machine: dict[str, str]) -> dict[str, Any]:
        """The entry of the results file."""
        measures = [
            {**asked, "value": value, "by_seed": list(values)}
            for asked, value, values in zip(wanted(self.part), self.measured(), self.values)
        ]
        return {
            "passed": self.verdict in (HELD, REVIVED),
            "measures": measures,
            "seeds": list(self.seeds),
            "seconds": round(self.seconds, 2),
            "machine": machine,
            "hash": fingerprint(self.paper),
        }


def run_claim(
    paper: Paper,
    numbers: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
) -> Iterator[Outcome]:
    """Run the parts with these ``numbers`` (all of the row's, and all that the experiment has)."""
    yield from (
        run_part(paper, part, seeds)
        for part in paper.parts
        if numbers is None or part.number in numbers
    )
    if numbers is None and file_of(experiment(paper)):
        try:
            found = parts_of(importlib.import_module(experiment(paper)))
        except Exception:  # every part above has said so
            return
        for number in sorted(set(found) - {part.number for part in paper.parts}):
            yield Outcome(paper, number, UNLISTED)


def run_part(paper: Paper, part: Part, seeds: Sequence[int] | None = None) -> Outcome:
    """Run one part with each seed (the row's, unless others are given) and judge it."""
    seeds = tuple(part.seeds if seeds is None else seeds)
    name = experiment(paper)
    if file_of(name) is None:
        return Outcome(paper, part.number, MISSING, message=f"there is no module {name}")
    start = time.perf_counter()
    try:
        function = parts_of(importlib.import_module(name)).get(part.number)
        if function is None:
            message = f"{name} has no function for part {part.number}"
            return Outcome(paper, part.number, MISSING, message=message)
        runs = [_numbers(function(seed=seed), part) for seed in seeds]
    except Exception as error:
        seconds = time.perf_counter() - start
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        traceback.print_exc()
        return Outcome(paper, part.number, ERROR, seeds, (), seconds, message)
    values = tuple(zip(*runs))  # by measure, then by seed
    outcome = Outcome(paper, part.number, "", seeds, values, time.perf_counter() - start)
    return judged(outcome)


def _numbers(returned: Any, part: Part) -> list[float]:
    """The numbers of one run in the order of the part's measures."""
    names = [measure.name for measure in part.measures]
    if not isinstance(returned, dict):
        if len(names) > 1:
            raise TypeError(f"part {part.number} expected a dictionary of {names}")
        return [float(returned)]
    if set(returned) != set(names):
        raise TypeError(f"part {part.number} expected the measures {names}, got {list(returned)}")
    return [float(returned[name]) for name in names]


def judged(outcome: Outcome) -> Outcome:
    """The outcome with its verdict: which seeds failed, and were just these recorded?"""
    part, run = outcome.part, set(outcome.seeds)
    if part.over == "mean":
        holds = all(m.holds(v) for m, v in zip(part.measures, outcome.measured()))
        failed = set() if holds else run
    else:
        by_seed = zip(outcome.seeds, zip(*outcome.values))
        failed = {
            seed
            for seed, values in by_seed
            if not all(m.holds(v) for m, v in zip(part.measures, values))
        }
    known = set(part.failure.seeds) if part.failure else set()
    known = known & run if part.over == "each" or known == run else set()
    if failed == known:
        verdict = RECORDED if failed else HELD
    else:
        verdict = FAILED if failed else REVIVED
    message = part.failure.reason if verdict == RECORDED else ""
    if failed and part.over == "each" and len(run) > 1:
        listed = ",".join(map(str, sorted(failed)))
        message = f"seeds {listed}" + (f"; {message}" if message else "")
    return replace(outcome, verdict=verdict, message=message)


def status(outcomes: Sequence[Outcome]) -> int:
    """0: all ran and held. 3: all ran, and only recorded failures failed. 1: anything else."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if not verdicts or verdicts - {HELD, RECORDED}:
        return 1
    return 3 if RECORDED in verdicts else 0
