"""Figures say what the frame says, and are the same bytes each time."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from xt import plots

matplotlib.use("agg")


@pytest.fixture
def gains():
    rows = [
        ("xnli", "mnli", 5.25, 2.0, 8.5, 0.01, False, True),
        ("xnli", "mnli_shuffled", -1.0, -3.0, 1.0, np.nan, True, True),
        ("xnli", "squad", 0.5, -2.0, 3.0, 0.7, False, False),
        ("udpos", "mnli", np.nan, np.nan, np.nan, np.nan, False, False),
        ("udpos", "mnli_shuffled", np.nan, np.nan, np.nan, np.nan, True, False),
    ]
    columns = ["target", "intermediate", "gain", "low", "high", "p_holm", "placebo", "same_data"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def languages():
    return pd.DataFrame({
        "target": "udpos", "intermediate": "squad", "eval_language": ["de", "fr", "zh"], "gain": [2.0, -1.0, 0.5],
        "low": [1.0, -3.0, -1.0], "high": [3.0, 1.0, 2.0], "score": [50.0, 45.0, 30.0], "floor": [30.0, 30.0, 31.0],
        "score_low": [48.0, 43.0, 28.0], "score_high": [52.0, 47.0, 32.0], "at_floor": [False, False, True],
    })  # fmt: skip


@pytest.fixture
def ax():
    figure, axes = plots.plt.subplots()
    yield axes
    plots.plt.close(figure)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_the_matrix_shows_gain_interval_mark_and_what_is_missing(gains, ax):
    plots.plot_gain_matrix(gains, ax)
    assert ticks(ax.xaxis) == ["mnli", "squad", "mnli\nshuffled"] and ticks(ax.yaxis) == ["xnli", "udpos"]
    assert texts(ax)[:6] == ["+5.2*", "+2.0 to +8.5", "+0.5", "−2.0 to +3.0", "−1.0", "−3.0 to +1.0"]
    assert texts(ax)[6:] == ["all at\nfloor", "no run", "all at\nfloor"]
    assert ax.images[0].get_clim() == (-5.25, 5.25)


def test_a_matrix_without_any_gain_can_be_drawn(gains, ax):
    plots.plot_gain_matrix(gains[gains["target"] == "udpos"], ax)
    assert texts(ax) == ["all at\nfloor"] * 2


@pytest.mark.parametrize(("plot", "value"), [(plots.plot_language_gains, "gain"), (plots.plot_floors, "score")])
def test_cells_at_their_floor_are_hollow(plot, value, languages, ax):
    plot(languages, ax)
    above, below = (container.lines[0] for container in ax.containers)
    assert list(above.get_ydata()) == list(languages[value][:2]) and list(below.get_ydata()) == [languages[value][2]]
    assert below.get_markerfacecolor() == "white" != above.get_markerfacecolor()
    assert ticks(ax.xaxis) == ["de", "fr", "zh"] and "points" in ax.get_ylabel()


def test_languages_that_the_arm_was_trained_in_look_different(languages, ax):
    plots.plot_language_gains(languages.assign(zero_shot=[True, False, True]), ax)
    above, _, seen = (container.lines[0] for container in ax.containers)
    assert list(seen.get_ydata()) == [-1.0] and seen.get_marker() != above.get_marker()
    assert seen.get_markerfacecolor() == "white" and ax.containers[2].get_label() == "not zero-shot"


def test_a_score_just_outside_its_interval_can_be_drawn(languages, ax):
    assert plots.plot_floors(languages.assign(score_low=languages["score"] + 1e-5), ax).containers


def test_slopes_stand_on_their_predictors_row_with_their_intervals(ax):
    slopes = pd.DataFrame({
        "predictor": ["syntactic", "log_resource", "script"], "slope": [-12.0, 4.0, 0.5], "low": [-20.0, 1.0, -3.0],
        "high": [-7.0, 6.0, 5.0],
    }, index=[5, 6, 7])  # fmt: skip
    assert plots.plot_slopes(slopes, ax) is ax
    points, _, (bars,) = ax.containers[0].lines
    ends = {segment[0, 1]: list(segment[:, 0]) for segment in bars.get_segments()}
    shown = dict(zip(ax.get_yticks(), ticks(ax.yaxis), strict=True))
    drawn = {shown[place]: (value, *ends[place]) for value, place in points.get_xydata()}
    assert drawn == {"syntactic": (-12, -20, -7), "log resource": (4, 1, 6), "script": (0.5, -3, 5)}
    assert shown[max(shown)] == "syntactic", "the first row on top"
    assert "points" in ax.get_xlabel() and any(set(line.get_xdata()) == {0} for line in ax.lines)


def test_figures_are_written_with_the_same_bytes(gains, tmp_path, monkeypatch):
    monkeypatch.setenv("XT_FIGURES", str(tmp_path))
    written = []
    for _ in range(2):
        with matplotlib.rc_context():
            plots.use_style()
            figure, ax = plots.plt.subplots()
            plots.plot_gain_matrix(gains, ax)
            paths = plots.save_figure(figure, 1, "gains")
            plots.plt.close(figure)
        written.append([path.read_bytes() for path in paths])
    assert [path.name for path in paths] == ["1-gains.svg", "1-gains.png"]
    assert written[0] == written[1] and all(written[0])
