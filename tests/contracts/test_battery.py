"""Every check of every contract, on everything that is registered."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys

import pytest

from minitx import channel_mixers, connections, depth, positions, token_mixers
from minitx.catalogue import CONTRACTS as NAMES
from minitx.checks import CHAPTERS
from minitx.contracts import CONTRACTS, run_check
from minitx.contracts.maps import topics
from minitx.contracts.variants import VARIANTS, register
from minitx.nn.module import Module

CASES = [
    pytest.param(variant, check, id=f"{variant.contract}-{variant.name}-{check.__name__}")
    for variant in VARIANTS
    for check in CONTRACTS[variant.contract].checks
]


@pytest.mark.parametrize(("variant", "check"), CASES)
def test_contract(variant, check):
    result = run_check(variant, check)
    assert result.result != "fail", result.message


def test_every_contract_has_a_name_of_the_catalogue_and_at_least_five_checks():
    for name, contract in CONTRACTS.items():
        assert name in NAMES
        assert len(contract.checks) >= 5
        assert len({check.__name__ for check in contract.checks}) == len(contract.checks)
        assert all(check.__doc__ for check in contract.checks)


def test_traits_are_known_to_the_contract_and_each_is_had_and_not_had_by_something():
    for name, contract in CONTRACTS.items():
        declared = [variant.traits for variant in VARIANTS if variant.contract == name]
        assert set().union(*declared) <= set(contract.traits)
        for trait in contract.traits:
            assert 0 < sum(trait in traits for traits in declared) < len(declared), trait


def test_the_code_of_every_variant_is_where_it_says():
    for variant in VARIANTS:
        module, name = variant.code.split(":")
        assert callable(getattr(importlib.import_module(module), name)), variant.code


def test_every_topic_of_a_map_is_on_a_page_with_exercises():
    maps = [variant for variant in VARIANTS if variant.contract == "map"]
    assert maps
    for topic in (topic for variant in maps for topic in topics(variant)):
        assert topic.page in CHAPTERS, topic.name


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="already a position called 'none'"):
        register("position", "none", "a:b", lambda rng: None)


# These are no ideas of their own: bases, parts, and what another contract covers.
BASES = {
    "Attention", "TokenMixer", "Hooks", "Connection",
    "GroupedLinear",  # within the grouped MLP
    "WeightDropout",  # random: tested by itself
    "Readout", "WeightedMean", "Normed",  # within linear attention
    "GridAttention", "HeadNorm",  # within Galerkin and Fourier attention
    "FirstToken",  # within XCiT: only its first token hears anything
    "ShortConvolution",  # within the delta rule
}  # fmt: skip


def classes_in(room, base):
    """(where, name) of every public class of this kind that is defined in a room."""
    for info in pkgutil.iter_modules(room.__path__, room.__name__ + "."):
        for name, found in vars(importlib.import_module(info.name)).items():
            mine = inspect.isclass(found) and found.__module__ == info.name
            if mine and issubclass(found, base) and not name.startswith("_"):
                yield info.name, name


@pytest.mark.parametrize("room", [token_mixers, channel_mixers, positions, connections, depth])
def test_nothing_in_a_room_is_left_out(room):
    registered = {variant.code for variant in VARIANTS}
    for where, name in classes_in(room, Module):
        assert name in BASES or f"{where}:{name}" in registered, f"register {where}:{name}"


def test_the_table_is_written(tmp_path):
    (tmp_path / "book").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "minitx.contracts", "--contract", "depth"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 fail, " in done.stdout
    from minitx.contracts import run_all
    from minitx.contracts.__main__ import write

    results = run_all("depth")
    write(results, tmp_path / "table.json")
    table = json.loads((tmp_path / "table.json").read_text("utf8"))
    assert len(table) == len(results)
    assert table[0] == {
        "contract": "depth", "variant": "stack", "check": "shape and dtype", "result": "pass",
    }  # fmt: skip
