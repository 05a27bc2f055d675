"""Figures: what they show, that they can be read in grey, and that they leave settings alone."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

from minitx import plot  # noqa: E402


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def grey(colour) -> float:
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def test_lines_differ_in_colour_dashes_and_marker():
    count = len(plot.COLOURS)
    assert len(set(plot.COLOURS)) == len(set(plot.DASHES)) == len(set(plot.MARKERS)) == count
    assert all(grey(colour) < 0.7 for colour in plot.COLOURS)  # dark enough on white


def test_the_colour_map_keeps_its_order_in_grey():
    shades = [grey(c) for c in plt.get_cmap(plot.SEQUENTIAL)(np.linspace(0, 1, 50))]
    assert np.all(np.diff(shades) > 0)


def test_loss_curves():
    figure = plot.loss_curves({"train": ([1, 2, 3], [3.0, 2.0, 1.0]), "test": ([3], [1.5])})
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss (nats per token)")
    assert [line.get_ydata().tolist() for line in axes.lines] == [[3, 2, 1], [1.5]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "test"]


def test_loss_curves_are_smoothed_by_the_mean_of_what_came_before():
    figure = plot.loss_curves({"train": ([1, 2, 3, 4], [4.0, 2.0, 6.0, 1.0])}, smooth=2)
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [2, 3, 4]
    assert line.get_ydata().tolist() == [3.0, 4.0, 3.5]


def test_cost_curves_show_the_measured_and_the_predicted_exponent():
    lengths = [10, 20, 40]
    figure = plot.cost_curves({"dense": (lengths, [1.0, 4.0, 16.0])}, {"dense": 1.0})
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    measured, predicted = axes.get_legend().get_texts()
    assert "2.00" in measured.get_text()
    assert "predicted" in predicted.get_text()
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [4.0, 8.0, 16.0])


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_exponent(power):
    lengths = [3, 7, 20, 50]
    assert plot.exponent(lengths, [5 * n**power for n in lengths]) == pytest.approx(power)


def test_attention_maps_have_a_square_for_each_head_on_one_scale():
    weights = np.random.default_rng(0).dirichlet(np.ones(3), (5, 2))  # (H, T, S)
    figure = plot.attention_maps(weights, tokens=["a", "b"], keys=["x", "y", "z"], columns=3)
    maps = [axes for axes in figure.axes if axes.images]
    assert len(maps) == 5
    for head, axes in enumerate(maps):
        np.testing.assert_array_equal(axes.images[0].get_array(), weights[head])
        assert axes.images[0].get_clim() == (0, 1)
        assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.attention_maps(np.ones((2, 3))), r"\(H, T, S\), got \(2, 3\)"),
        (lambda: plot.attention_maps(np.ones((1, 2, 3)), ["a"]), "expected 2 tokens, got 1"),
        (lambda: plot.loss_curves({"train": ([1, 2], [1.0])}), "train: .* got 2 and 1"),
        (lambda: plot.exponent([5], [1.0]), "two lengths"),
        (lambda: plot.exponent([5, 6], [1.0, 0.0]), "positive"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_look_ends_with_its_block():
    before = plt.rcParams["axes.spines.top"]
    with plot.look():
        assert plt.rcParams["axes.spines.top"] is False
    assert plt.rcParams["axes.spines.top"] == before
    plot.loss_curves({"train": ([1], [1.0])})
    assert plt.rcParams["axes.spines.top"] == before


def test_a_figure_can_be_written(tmp_path):
    figure = plot.cost_curves({"dense": ([1, 2, 4], [1.0, 2.0, 4.0])})
    figure.savefig(tmp_path / "cost.svg")
    text = (tmp_path / "cost.svg").read_text()
    assert "length (tokens)" in text
