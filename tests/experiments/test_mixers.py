"""What token mixers cost: every one can be measured, limits stop, the file comes back."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.cli import main
from minitx.contracts.battery import SMALL, Size, Variant
from minitx.experiments import mixers
from minitx.token_mixers import MultiHeadAttention


def attention(declared=2.0):
    make = lambda rng, size: MultiHeadAttention(size.d_model, size.num_heads, rng=rng)  # noqa: E731
    return Variant("attention", "token_mixer", make, cost=declared, code="here:There")


@pytest.mark.parametrize("variant", mixers.registered(), ids=lambda variant: variant.name)
def test_every_registered_mixer_can_be_measured_at_width_64(variant):
    cost = mixers.measure(variant, (8, 12))
    assert cost.name == variant.name and cost.declared == variant.cost
    assert cost.lengths == [8, 12] and len(cost.seconds) == len(cost.bytes) == 2
    assert min(cost.seconds) > 0 and min(cost.bytes) > 8 * mixers.WIDTH * 4


@pytest.mark.parametrize("variant", mixers.registered(), ids=lambda variant: variant.name)
def test_every_registered_mixer_is_made_of_the_size_asked_for(variant):
    for size in (SMALL, Size(40, 5), Size(40, 2)):
        mixer = variant.make(np.random.default_rng(0), size).eval()
        assert mixer(Tensor(np.ones((1, 3, size.d_model)))).shape == (1, 3, size.d_model)
        assert all(part.num_heads == size.num_heads for part in with_heads(mixer))
    small = variant.make(np.random.default_rng(0))
    assert {p.shape for p in small.parameters()} == {
        p.shape for p in variant.make(np.random.default_rng(0), SMALL).parameters()
    }


def with_heads(mixer):
    return [part for part in mixer.modules() if hasattr(part, "num_heads")]


def test_peak_memory_is_that_of_the_scores():
    mixer, bytes_ = mixers.made(attention()), {}
    for length in (256, 512):
        bytes_[length] = mixers.peak(mixer, Tensor(np.ones((1, length, 64)), requires_grad=True))
    assert 256 * 256 * 4 < bytes_[256] < bytes_[512] < 4.2 * bytes_[256]


def test_the_first_length_over_a_limit_is_the_last(monkeypatch):
    monkeypatch.setattr(mixers, "MOST_BYTES", 1)
    assert mixers.measure(attention(), (4, 8, 16)).lengths == [4]


@pytest.mark.parametrize("lengths", [(64, 4096, 8192, 16384), (16, 32, 64), (8, 16)])
def test_the_exponent_of_a_power_counts_long_lengths(lengths):
    costs = [1e-6 * n**1.5 + (50 if n < 2048 and max(lengths) > 2048 else 0) for n in lengths]
    assert mixers.exponent(lengths, costs) == pytest.approx(1.5)


def test_one_length_has_no_exponent_yet():
    assert np.isnan(mixers.exponent([64], [1.0]))


def test_the_file_comes_back(tmp_path):
    row = mixers.Cost("a", "b:C", 1.0, 1.0123456, [8, 16], [0.123456, 0.2], [100, 200])
    mixers.write([row, row], {"date": "today"}, tmp_path / "mixers.json")
    about, rows = mixers.read(tmp_path / "mixers.json")
    assert about == {"date": "today"} and len(rows) == 2
    assert rows[0] == mixers.Cost("a", "b:C", 1.0, 1.012, [8, 16], [0.1235, 0.2], [100, 200])
    assert len(list(tmp_path.iterdir())) == 1


def test_the_last_run_measured_mixers_that_are_registered_as_they_are_declared():
    _, rows = mixers.read()
    declared = {variant.name: variant.cost for variant in mixers.registered()}
    assert len(rows) > 20
    assert {row.name: row.declared for row in rows}.items() <= declared.items()
    for row in rows:
        assert row.lengths == list(mixers.LENGTHS[: len(row.lengths)])
        over = row.seconds[-1] > mixers.MOST_SECONDS or row.bytes[-1] > mixers.MOST_BYTES
        assert over or row.lengths[-1] == mixers.LENGTHS[-1]


def test_the_command_prints_a_line_for_each(capsys):
    assert main(["bench", "mixers", "--only", "DeltaNet", "--lengths", "16", "8"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("DeltaNet ") and "(declared 1)" in line and "16 tokens" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "nothing of the kind"], "no token mixer has 'nothing of the kind'"),
        (["--lengths", "8"], "two or more different lengths, got [8]"),
        (["--write", "--lengths", "8", "16"], "--write records a full run"),
    ],
)
def test_mistakes_are_answered_with_status_2(capsys, arguments, message):
    assert main(["bench", "mixers", *arguments]) == 2
    assert message in capsys.readouterr().err
