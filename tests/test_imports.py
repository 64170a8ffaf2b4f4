"""Somebody's own results: taken whole or refused by name, tested as far as they tell, never further."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from xt.cli import app
from xt.errors import DataError
from xt.gains import gain_table, language_gain_table, load_cubes
from xt.imports import import_predictions, import_scores
from xt.reported import is_zero_shot, score_table
from xt.results import load_runs, load_scores, load_stats
from xt.stats import SEEDS_AND_ITEMS, SEEDS_ONLY
from xt.tasks import TASKS, read_evaluation

ARMS = {"none": 40.0, "my own task": 45.0, "mnli.de": 42.0}
BOTH = [
    ("target", "xnlo", "column target, row 0: 'xnlo'; allowed: .*xnli"),
    ("seed", "one", "column seed, row 0: 'one'; allowed: Int64 from 0"),
    ("intermediate", "mnli.klingon", "unknown language 'klingon'"),
    ("extra", "1", "unknown: .'extra'."),
]


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    for name in ("runs", "results", "cache"):
        monkeypatch.setenv(f"XT_{name.upper()}", str(tmp_path / name))


def scores_of(seeds=(1, 2, 3)) -> pd.DataFrame:
    """A table of scores: arms x seeds x languages of XQuAD, in points."""
    rng = np.random.default_rng(0)
    rows = [
        dict(encoder="my encoder", intermediate=arm, target="xquad", eval_language=code, seed=seed,
             score=round(points + rng.normal(0, 0.3), 2))
        for arm, points in ARMS.items() for seed in seeds for code in ("en", "de", "ar")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def labels_of(language: str, seed: int, share: float) -> pd.DataFrame:
    """Predictions for the fixture of XNLI of which about this share is right."""
    rng, labels = np.random.default_rng(seed), TASKS["xnli"].labels
    rows = [
        dict(eval_language=language, id=example.id,
             prediction=labels[example.label if rng.random() < share else int(rng.integers(3))])
        for example in read_evaluation("xnli", "fixtures", language).examples
    ]  # fmt: skip
    return pd.DataFrame(rows)


def predictions_of() -> pd.DataFrame:
    parts = [
        labels_of(code, seed, share).assign(encoder="mine", intermediate=arm, target="xnli", seed=seed)
        for arm, share in (("none", 0.4), ("my_own", 0.9)) for seed in (1, 2, 3) for code in ("de", "zh")
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def saved(table: pd.DataFrame, place):
    table.to_csv(place / "given.csv", index=False)
    return place / "given.csv"


def test_scores_alone_are_tested_over_seeds_and_claim_nothing_about_items(tmp_path):
    run_ids = import_scores(saved(scores_of(), tmp_path), "mine")
    assert len(run_ids) == 9 == len(load_runs("mine"))
    cubes = load_cubes(load_scores("mine"), np.random.default_rng(0))
    table = gain_table(cubes).set_index("intermediate")
    assert set(table["kind"]) == {SEEDS_ONLY} and "items" in SEEDS_ONLY
    assert table.loc["my own task", "gain"] == pytest.approx(5, abs=0.6) and table.loc["my own task", "p"] < 0.01
    assert table["num_at_floor"].eq(0).all() and not table["same_data"]["my own task"]
    languages = language_gain_table(cubes)
    assert languages["score_low"].isna().all() and not languages["at_floor"].any()
    assert set(score_table(load_scores("mine"))["intermediate"]) == set(ARMS)


def test_two_seeds_of_scores_alone_have_no_interval(tmp_path):
    import_scores(saved(scores_of(seeds=(1, 2)), tmp_path), "mine")
    table = gain_table(load_cubes(load_scores("mine"), np.random.default_rng(0)))
    assert table["gain"].notna().all() and table[["low", "high", "p"]].isna().all().all()


def test_what_was_trained_on_is_not_vouched_for_and_the_arm_tells_its_language(tmp_path):
    import_scores(saved(scores_of(), tmp_path), "mine")
    scores = load_scores("mine")
    assert set(scores["data_status"]) == {"imported"} and scores["floor"].isna().all()
    spoken = scores.drop_duplicates("intermediate").set_index("intermediate")["intermediate_language"]
    assert pd.isna(spoken["none"]) and spoken["my own task"] == "en" and spoken["mnli.de"] == "de"
    assert not is_zero_shot(scores[(scores["intermediate"] == "mnli.de") & (scores["eval_language"] == "de")]).any()
    import_scores(saved(scores_of(), tmp_path), "vouched", "complete")
    assert set(load_scores("vouched")["data_status"]) == {"complete"}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("score", "101", "column score, row 0: '101'; allowed: Float64 from 0 to 100"),
        ("score", "", "column score, row 0"),
        ("metric", "accuracy", "column metric, row 0: 'accuracy'; allowed: f1, exact_match"),
        *BOTH,
    ],
)
def test_a_fault_in_scores_names_file_row_and_value(tmp_path, column, value, words):
    table = scores_of().astype(str)
    table.loc[0, column] = value
    with pytest.raises(ValueError, match=words):
        import_scores(saved(table.fillna(""), tmp_path), "mine")
    assert not (tmp_path / "results").exists(), "nothing is written of a faulty table"


def test_scores_that_stand_twice_or_are_fractions_or_belong_to_a_study_of_ours_are_refused(tmp_path):
    table = scores_of()
    with pytest.raises(DataError, match="1 rows repeat an earlier one"):
        import_scores(saved(pd.concat([table, table[:1]]), tmp_path), "mine")
    with pytest.raises(DataError, match="every value is at most 1; allowed: points"):
        import_scores(saved(table.assign(score=table["score"] / 100), tmp_path), "mine")
    for study in ("real", "../mine", ""):
        with pytest.raises(ValueError, match="cannot be imported into"):
            import_scores(saved(table, tmp_path), study)


def test_predictions_are_scored_here_with_items_and_floors(tmp_path):
    run_ids = import_predictions(saved(predictions_of(), tmp_path), "mine", "fixtures")
    stats = load_stats("mine", run_ids[0])
    gold = {e.id: TASKS["xnli"].labels[e.label] for e in read_evaluation("xnli", "fixtures", "de").examples}
    given = predictions_of().query("intermediate == 'none' and seed == 1 and eval_language == 'de'")
    right = given.set_index("id")["prediction"].eq(pd.Series(gold)).mean()
    scores = load_scores("mine")
    ours = scores.query("intermediate == 'none' and seed == 1 and eval_language == 'de'")["score"].iloc[0]
    assert ours == pytest.approx(100 * right, abs=1e-3) and len(stats) == 24
    assert scores["floor"].notna().all() and set(scores["data_status"]) == {"imported"}
    cubes = load_cubes(scores, np.random.default_rng(0))
    assert set(gain_table(cubes)["kind"].dropna()) <= {SEEDS_AND_ITEMS} and cubes[0].resampled is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop(index=0), "none, xnli, 1, de: id '0' is missing; allowed: the 12 ids"),
        (lambda table: pd.concat([table, table[-1:]]), "my_own, xnli, 3, zh: id '11' stands twice"),
        (lambda table: table.replace({"id": {"0": "x"}}), "id '0' is missing"),
        (lambda table: table.assign(prediction="yes"), "id '0': 'yes'; allowed: entailment, neutral, contradiction"),
        (lambda table: table.assign(eval_language="fi"), "unknown language of xnli 'fi'"),
    ],
)
def test_a_fault_in_predictions_is_named_and_never_scored_0(tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        import_predictions(saved(change(predictions_of()), tmp_path), "mine", "fixtures")
    assert not (tmp_path / "results").exists(), "nothing is written of a faulty table"


def test_the_command_tells_what_a_table_holds_and_how_to_go_on(tmp_path):
    path = saved(scores_of(), tmp_path)
    done = CliRunner().invoke(app, ["import", "mine", str(path)])
    assert done.exit_code == 0 and "9 runs imported" in done.stdout and "my own task" in done.stdout
    (tmp_path / "folder").mkdir()
    refused = CliRunner().invoke(app, ["import", "mine", str(tmp_path / "folder"), "--root", "fixtures"])
    assert refused.exit_code == 2 and "give --encoder and --intermediate" in refused.stderr


def test_what_was_found_must_be_there_to_be_found(tmp_path):
    """A wrong id would be scored 0, and look like a result."""
    pairs = read_evaluation("tatoeba", "fixtures", "de").examples
    rows = [dict(eval_language="de", id=pair.id, prediction=pair.id) for pair in pairs]
    table = pd.DataFrame(rows).assign(encoder="mine", intermediate="none", target="tatoeba", seed=1)
    import_predictions(saved(table, tmp_path), "fine", "fixtures")
    table.loc[3, "prediction"] = "elsewhere"
    with pytest.raises(DataError, match=f"id {pairs[3].id!r}: found 'elsewhere', which is no id"):
        import_predictions(saved(table, tmp_path), "wrong", "fixtures")


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    result = CliRunner().invoke(app, ["import", "mine", str(tmp_path / "picture.csv")])
    assert result.exit_code == 2 and "picture.csv: no table of text" in result.output


def test_quoted_headers_are_headers(tmp_path):
    path = saved(scores_of(), tmp_path)
    header, rest = path.read_text().split("\n", 1)
    path.write_text(",".join(f'"{name}"' for name in header.split(",")) + "\n" + rest)
    assert CliRunner().invoke(app, ["import", "mine", str(path)]).exit_code == 0
