"""Figures say what the frame says, and are the same bytes each time."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from xt import plots

matplotlib.use("agg")


@pytest.fixture
def gains():
    rows = [
        ("xnli", "mnli", 5.25, 2.0, 8.5, 0.01, False, True, ""),
        ("xnli", "mnli_shuffled", -1.0, -3.0, 1.0, np.nan, True, True, ""),
        ("xnli", "squad", 0.5, -2.0, 3.0, 0.7, False, False, ""),
        ("udpos", "mnli", np.nan, np.nan, np.nan, np.nan, False, False, "at its floor"),
        ("udpos", "mnli_shuffled", np.nan, np.nan, np.nan, np.nan, True, False, "trained in"),
    ]
    columns = ["target", "intermediate", "gain", "low", "high", "p_holm", "placebo", "same_data", "lacking"]
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


def labels_above(ax):
    return [tick.label2.get_text() for tick in ax.xaxis.get_major_ticks()]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_the_matrix_shows_gain_interval_mark_and_what_is_missing(gains, ax):
    plots.plot_gain_matrix(gains, ax)
    assert ticks(ax.yaxis) == ["mnli", "squad", "mnli_shuffled"] and labels_above(ax) == ["xnli", "udpos"]
    assert texts(ax)[:-1] == ["+5.2*", "±3.2", "floor", "+0.5", "±2.5", "no run", "−1.0", "±2.0", "trained\nin"]
    assert texts(ax)[-1] == "intermediate task\n(below the line: placebo)"
    assert ax.images[0].get_clim() == (-5.25, 5.25)


def test_a_matrix_without_any_gain_can_be_drawn(gains, ax):
    plots.plot_gain_matrix(gains[gains["target"] == "udpos"], ax)
    assert texts(ax)[:-1] == ["floor", "trained\nin"]


def test_a_matrix_of_nothing_says_so(gains, ax):
    plots.plot_gain_matrix(gains[:0], ax)
    assert texts(ax) == ["no results"]


def test_nothing_in_a_matrix_of_the_largest_study_touches_anything_else():
    arms, targets = [f"multi_mlm_{arm:02}" for arm in range(8)], [f"target{target:03}" for target in range(14)]
    rows = [(target, arm, arm >= "multi_mlm_06") for arm in arms for target in targets]
    table = pd.DataFrame(rows, columns=["target", "intermediate", "placebo"])
    table = table.assign(gain=-16.6, low=-27.7, high=-5.5, p_holm=0.01, same_data=True, lacking="")
    table.loc[table["target"] == targets[5], ["gain", "lacking"]] = np.nan, "trained in"
    with matplotlib.rc_context():
        plots.use_style()
        figure, ax = plots.plt.subplots(figsize=plots.size_gain_matrix(table))
        plots.plot_gain_matrix(table, ax)
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in ax.texts]
    cell = abs(np.diff(ax.transData.transform([(0, 0), (1, 1)]), axis=0))[0]
    assert figure.get_figwidth() <= 7 and len(boxes) == 8 * (13 * 2 + 1) + 1
    assert max(box.width for box in boxes[:-1]) <= cell[0] and max(box.height for box in boxes[:-1]) <= cell[1]
    assert not any(one.overlaps(other) for one, other in zip(boxes[:2], boxes[1:3], strict=True))
    (line,) = ax.lines
    assert all(frame.zorder > line.zorder for frame in ax.patches if not frame.get_fill()), "no frame is cut"
    plots.plt.close(figure)


@pytest.mark.parametrize(("plot", "value"), [(plots.plot_language_gains, "gain"), (plots.plot_floors, "score")])
def test_cells_at_their_floor_are_hollow(plot, value, languages, ax):
    plot(languages, ax)
    above, below = (container.lines[0] for container in ax.containers)
    assert list(above.get_xdata()) == list(languages[value][:2]) and list(below.get_xdata()) == [languages[value][2]]
    assert below.get_markerfacecolor() == "white" != above.get_markerfacecolor()
    assert ticks(ax.yaxis) == ["de", "fr", "zh"] and "points" in ax.get_xlabel()
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first language on top"


def test_languages_stand_on_their_own_row_of_a_shared_axis(languages, ax):
    plots.plot_language_gains(languages, ax, codes=["en", "zh", "de", "es", "fr"])
    drawn = {x: y for container in ax.containers for x, y in container.lines[0].get_xydata()}
    assert drawn == {2.0: 2, -1.0: 4, 0.5: 1} and ticks(ax.yaxis) == ["en", "zh", "de", "es", "fr"]


def test_languages_that_the_arm_was_trained_in_look_different(languages, ax):
    plots.plot_language_gains(languages.assign(zero_shot=[True, False, True]), ax)
    above, _, seen = (container.lines[0] for container in ax.containers)
    assert list(seen.get_xdata()) == [-1.0] and seen.get_marker() != above.get_marker()
    assert seen.get_markerfacecolor() == "white" and ax.containers[2].get_label() == "not zero-shot"


@pytest.mark.parametrize(("number", "grid"), [(1, (1, 1)), (5, (1, 5)), (6, (2, 3)), (13, (3, 5)), (0, (1, 1))])
def test_panels_fill_a_grid_and_share_the_names_of_their_row(number, grid):
    groups = [["de", "zh"], ["en", "zh"], ["sw"]] * 5
    figure, axes, names = plots.make_panels(groups[:number])
    assert len(axes) == len(names) == number and len(figure.axes) == grid[0] * grid[1]
    if number:
        assert names[0] == (["de", "zh"] if number == 1 else ["en", "de", "sw", "zh"])
    assert figure.get_figwidth() == pytest.approx(6.6)
    plots.plt.close(figure)


def test_one_legend_names_everything_that_any_panel_shows(languages):
    figure, axes, names = plots.make_panels([["de", "fr", "zh"]] * 2)
    plots.plot_language_gains(languages, axes[0], names[0])
    plots.plot_language_gains(languages.assign(zero_shot=False), axes[1], names[1])
    plots.add_legend(figure)
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown == ["above its floor", "at its floor", "not zero-shot"]
    plots.plt.close(figure)


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
    assert shown[0] == "syntactic" and ax.get_ylim()[0] > ax.get_ylim()[1], "the first row on top"
    assert "points" in ax.get_xlabel() and any(set(line.get_xdata()) == {0} for line in ax.lines)


def test_nothing_to_compare_is_said_and_a_missing_interval_is_not_drawn(ax):
    empty = pd.DataFrame(columns="target predictor slope low high encoder eval_language score at_floor".split())
    for draw in (plots.plot_slopes, lambda rows, ax: plots.plot_two_encoders(rows, ax, [])):
        ax.clear()
        assert [text.get_text() for text in draw(empty, ax).texts] == ["no results"]
    choices = pd.DataFrame({
        "target": ["panx", "tatoeba"], "chosen": ["mnli", None], "gain": [1.0, np.nan], "low": [-1.0, np.nan],
        "high": [2.0, np.nan], "oracle": ["ccg", "squad"], "oracle_gain": [3.0, 4.0], "oracle_low": np.nan,
        "oracle_high": np.nan,
    })  # fmt: skip
    figure, axes = plots.plt.subplots()
    chosen, oracle = (container.lines for container in plots.plot_choices(choices, axes).containers)
    assert texts(axes) == ["none can be chosen on English data"] and axes.texts[0].get_position()[1] == 1 - 0.08
    assert chosen[2][0].get_segments()[0][:, 0].tolist() == [-1.0, 2.0]
    assert oracle[0].get_xdata().tolist() == [3.0, 4.0]
    assert [tuple(segment[:, 0]) for segment in oracle[2][0].get_segments()] == [(3.0, 3.0), (4.0, 4.0)]
    plots.plt.close(figure)


def test_only_advice_that_was_tested_has_a_coloured_ground(ax):
    rows = [("xquad", "squad", 4.0), ("panx", "none", 3.0), ("xnli", "not tested", 9.0)]
    table = pd.DataFrame(rows, columns=["target", "advice", "gain"]).assign(group="all", best="mnli", low=1.0, high=5.0)
    plots.plot_advice(table, ax)
    grounds = [patch.get_facecolor() for patch in ax.patches]
    assert grounds[1] == grounds[2] != grounds[0]
    assert [text.get_text() for text in ax.texts][-4:] == ["not tested", "mnli", "+9.0", "+1.0 to +5.0"]


@pytest.fixture
def flips():
    return pd.DataFrame({
        "target": "xquad", "intermediate": ["squad", "mnli_shuffled"], "placebo": [False, True], "flips": [8.0, 5.0],
        "across": [9.0, 7.0], "by_seed": 6.0,
        "repeated": [3.0, 0.5], "low": [1.0, -0.5], "high": [5.0, 1.5], "p_holm": [0.01, np.nan],
    })  # fmt: skip


def test_flips_stand_beside_those_of_another_seed(flips, ax):
    arms = plots.order_arms(flips[::-1])
    plots.plot_flips(flips, ax, arms)
    seed, task, placebo = ax.lines
    assert set(seed.get_xdata()) == {6.0} and seed.get_label() == "two seeds of the baseline"
    assert task.get_xydata().tolist() == [[9.0, 0.0]] and placebo.get_xydata().tolist() == [[7.0, 1.0]]
    assert ticks(ax.yaxis) == ["squad", "mnli_shuffled"] and ax.get_xlim()[0] < 0 and ax.get_xlim()[1] > 8


def test_without_a_second_seed_no_line_says_what_seeds_do(flips, ax):
    plots.plot_flips(flips.assign(by_seed=np.nan, across=np.nan), ax, plots.order_arms(flips))
    assert [line.get_label() for line in ax.lines] == ["intermediate task", "placebo"]
    assert ax.lines[0].get_xydata().tolist() == [[8.0, 0.0]]


def test_repeated_flips_have_their_intervals_and_are_filled_where_reliable(flips, ax):
    plots.plot_repeated(flips, ax, plots.order_arms(flips))
    (solid, _, (solid_bars,)), (hollow, _, _) = (container.lines for container in ax.containers)
    assert solid.get_xydata().tolist() == [[3.0, 0.0]] and hollow.get_xydata().tolist() == [[0.5, 1.0]]
    assert hollow.get_markerfacecolor() == "white" != solid.get_markerfacecolor()
    assert solid_bars.get_segments()[0][:, 0].tolist() == [1.0, 5.0]


def test_what_is_kept_stands_beside_what_is_right_anyway(ax):
    kept = pd.DataFrame({
        "target": "xnli", "eval_language": ["de", "zh"], "right": [50.0, 40.0], "kept": [80.0, 41.0], "again": 70.0,
    })  # fmt: skip
    plots.plot_kept(kept, ax, ["zh", "de"])
    right, points, again = ax.lines
    assert right.get_xydata().tolist() == [[50, 1], [40, 0]] and points.get_xydata().tolist() == [[80, 1], [41, 0]]
    assert set(again.get_xdata()) == {70.0}


def test_the_map_has_a_cell_per_language_and_layer_and_frames_what_is_reported(ax):
    rows = pd.DataFrame({
        "eval_language": ["de", "de", "zh", "zh", "zh"], "layer": [0, 2, 0, 2, 2], "score": [10, 30, 20, 40, 60],
    })  # fmt: skip
    plots.plot_retrieval_map(rows, ax, ["zh", "de", "sw"], reported=2)
    shown = ax.images[0].get_array()
    assert shown[:2].tolist() == [[20, 50], [10, 30]] and shown.mask[2].all()
    (frame,) = ax.patches
    assert frame.get_x() == 0.5 and ticks(ax.xaxis) == ["0", "2"] and ax.images[0].get_clim() == (0, 100)


def test_a_map_of_differences_has_its_white_at_zero(ax):
    rows = pd.DataFrame({"eval_language": ["de"], "layer": [1], "score": [-3.0]})
    plots.plot_retrieval_map(rows, ax, ["de"], reported=1, bound=5)
    assert ax.images[0].get_clim() == (-5, 5)


def test_a_figure_with_a_text_is_shown_once_with_it_and_closed(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setenv("XT_FIGURES", str(tmp_path))
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append((data, how["metadata"])))
    figure, _ = plots.plt.subplots(figsize=(3, 2))
    _, png = plots.save_figure(figure, 1, "gains", alt="SQuAD helps.")
    ((data, metadata),) = shown
    assert data["image/png"] == png.read_bytes() and data["text/plain"] == "SQuAD helps."
    assert metadata == {"image/png": {"alt": "SQuAD helps.", "width": 288}}
    assert not plots.plt.fignum_exists(figure.number)


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


def test_what_is_told_by_colour_is_told_by_marker_too(ax):
    sizes = pd.DataFrame({
        "target": "xnli", "intermediate": [f"arm{number}" for number in range(12)], "size": 1e6, "value": 1.0,
        "measure": "share", "low": 0.0, "high": 2.0,
    })  # fmt: skip
    figure = plots.draw_sizes(sizes, sizes, "share", "%")
    drawn = [container.lines[0] for container in figure.axes[0].containers]
    assert len({line.get_marker() for line in drawn}) == 7
    assert len({(to_hex(line.get_color()), line.get_marker()) for line in drawn}) == 12
    assert "without" in figure.axes[0].get_xlabel() and "embeddings" in figure.axes[0].get_xlabel()
    plots.plt.close(figure)
    power = pd.DataFrame({"num_seeds": [3, 5, 10] * 2, "items": [1] * 3 + [4] * 3, "gain": 1.0, "power": 0.5})
    looks = {(line.get_marker(), line.get_linestyle()) for line in plots.plot_power(power, ax).lines[:-1]}
    assert len(looks) == 6
    ax.clear()
    published = pd.DataFrame({"target": ["xnli", "panx"], "group": ["sentence pair", "structured"], "gain": 1.0})
    plots.plot_published_gains(published, 2.0, ax)
    assert len({(line.get_marker(), line.get_markerfacecolor() == "white") for line in ax.lines[:3]}) == 3


def test_a_target_with_too_few_languages_for_a_line_says_so(ax):
    rows = pd.DataFrame({"target": "panx", "intermediate": "ccg", "distance": [0.1, 0.2, 0.3, 0.4], "gain": 1.0})
    plots.plot_gains_by_distance(rows[:3], ax)
    assert ax.get_title(loc="right") == "too few languages for a line"
    ax.clear()
    plots.plot_gains_by_distance(rows, ax)
    assert ax.get_title(loc="right") == "" and len(ax.collections) == 1


def test_every_sign_of_a_verdict_can_be_drawn(ax, recwarn):
    verdicts = ["supported", "contradicted", "undecided", "not tested"]
    ledger = pd.DataFrame({"study": "lab", "claim_id": verdicts, "verdict": verdicts, "effect": np.nan})
    ledger = ledger.assign(part="direction", on="")
    plots.plot_verdicts(ledger, ax)
    ax.figure.canvas.draw()
    assert [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)] == []


def test_the_longest_name_fits_its_cell_of_advice():
    table = pd.DataFrame({"target": "xquad", "group": ["all", "near"], "advice": ["squad_translated", "none"]})
    table = table.assign(best="squad_translated", gain=20.0, low=-20.7, high=60.8)
    with matplotlib.rc_context():
        plots.use_style()
        figure, ax = plots.plt.subplots(figsize=(6.6, 1.2))
        plots.plot_advice(table, ax)
        figure.draw_without_rendering()
        assert max(text.get_window_extent().width for text in ax.texts) / figure.dpi < 0.72
    plots.plt.close(figure)
