"""XTREME's files: written from run folders, they score what the runs scored, by the rules of the files themselves."""

import json

import numpy as np
import pandas as pd
import pytest
from synthetic_study import reduce_stats

from xt import store
from xt.errors import DataError
from xt.evaluate import frame_of, join_pools
from xt.grid import plan
from xt.imports import import_folder
from xt.metrics.tagging import CHUNK_F1
from xt.prediction_files import FORMS
from xt.results import load_scores
from xt.study import Study
from xt.submission import write_submission
from xt.tasks import TASKS, read_evaluation
from xt.tasks.examples import Query
from xt.transfer import describe

LANGUAGES = {
    "xnli": ("de", "zh"), "pawsx": ("en", "zh"), "udpos": ("th", "zh"), "panx": ("ar", "en"), "xquad": ("ar", "en"),
    "mlqa": ("de", "zh"), "tydiqa": ("ar", "en"), "tatoeba": ("de", "th"), "xcopa": ("it", "th"),
    "mewslix": ("de", "ja"), "lareqa": ("de", "zh"),
}  # fmt: skip
STUDY = Study("mine", "?", "fixtures", "smoke", ("tiny",), ("none",), tuple(LANGUAGES), (1,), languages=LANGUAGES)


def draw(task, example, pool, rng):
    """A prediction that is right now and then."""
    right = rng.random() < 0.5
    match task.format:
        case "classification" | "multiple_choice":
            return example.label if right else int(rng.integers(len(task.labels)))
        case "tagging":
            return [tag if rng.random() < 0.7 else int(rng.integers(len(task.labels))) for tag in example.tags]
        case "span_qa":
            return example.answers[0].text if right else example.context[: int(rng.integers(1, 20))]
        case "ranking":
            return [pool[place].id for place in rng.permutation(len(pool))[:20]]


def neighbours(code, examples, rng):
    """What a run folder holds of retrieval: every layer, both ways."""
    ids = [example.id for example in examples]
    frames = [
        pd.DataFrame({"eval_language": code, "id": ids, "cluster": ids, "layer": layer, "direction": way,
                      "prediction": np.where(rng.random(len(ids)) < 0.5, ids, rng.permutation(ids))})
        for layer in range(4) for way in ("from_english", "to_english")
    ]  # fmt: skip
    frame = pd.concat(frames)
    return frame.assign(**{"accuracy.correct": frame["prediction"] == frame["id"], "accuracy.count": 1})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder of the one submission, target -> the frame of its run folder)."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("places")
        for name in ("runs", "results", "cache"):
            patch.setenv(f"XT_{name.upper()}", str(place / name))
        frames, rng, blocks = {}, np.random.default_rng(0), plan(STUDY)
        for config in (run.config for run in blocks[0].runs):
            task = TASKS[config.target]
            data = {code: read_evaluation(task.name, "fixtures", code) for code in config.languages}
            data = join_pools(task, data) if task.format == "ranking" else data
            parts = [neighbours(code, read.examples, rng) if task.format == "retrieval" else
                     frame_of(task, [draw(task, example, read.pool, rng) for example in read.examples], read.examples)
                     for code, read in data.items()]  # fmt: skip
            frames[task.name] = pd.concat(parts, ignore_index=True)
            with store.open_run(config.run_id, describe(config)) as run:
                store.write_predictions(run, task.name, frames[task.name])
            store.finish(config.run_id)
        submission = write_submission(STUDY, blocks, place / "out")
        assert submission.left_out == {} and [path.name for path in submission.folders] == ["tiny-none-s1"]
        import_folder(submission.folders[0], "imported", "fixtures", "tiny", "none", 1)
        yield submission.folders[0], frames, load_scores("imported")


def test_every_task_and_language_has_its_file(made):
    names = {path.relative_to(made[0]).as_posix() for path in made[0].rglob("*") if path.is_file()}
    assert names == {f"{task}/test-{code}.{FORMS[TASKS[task].format].suffix}"
                     for task, codes in LANGUAGES.items() for code in codes}  # fmt: skip
    assert {"xnli/test-de.tsv", "xquad/test-ar.json", "xcopa/test-it.jsonl", "tatoeba/test-th.tsv"} <= names


@pytest.mark.parametrize("target", LANGUAGES)
def test_scores_computed_from_the_files_are_ours(made, target):
    frame = made[1][target]
    if target == "tatoeba":
        frame = frame[(frame["layer"] == 2) & (frame["direction"] == "from_english")].drop(
            columns=["layer", "direction"]
        )
    keys = ["eval_language", "metric"]
    ours = reduce_stats(frame[[name for name in frame if "." in name or name in ("eval_language", "id", "cluster")]])
    theirs = made[2].query("target == @target").set_index(keys)["score"].astype(float).sort_index()
    assert theirs.to_dict() == pytest.approx(ours.set_index(keys)["score"].to_dict(), abs=1e-4)


def lines(made, task, code):
    return (made[0] / task / f"test-{code}.tsv").read_text(encoding="utf-8").splitlines()


def score(made, target, code, metric):
    return float(made[2].query("target == @target and eval_language == @code and metric == @metric")["score"].iloc[0])


@pytest.mark.parametrize(("task", "names"), [("xnli", TASKS["xnli"].labels), ("pawsx", ("0", "1"))])
def test_labels_stand_in_the_releases_order_and_spelling(made, task, names):
    gold = [names[example.label] for example in read_evaluation(task, "fixtures", "zh").examples]
    correct = [line == label for line, label in zip(lines(made, task, "zh"), gold, strict=True)]
    assert 100 * np.mean(correct) == pytest.approx(score(made, task, "zh", "accuracy"), abs=1e-4)


def test_a_blank_line_parts_sentences(made):
    blocks = "\n".join(lines(made, "udpos", "zh")).split("\n\n")
    examples = read_evaluation("udpos", "fixtures", "zh").examples
    gold = [[TASKS["udpos"].labels[tag] for tag in example.tags] for example in examples]
    tags = [block.split("\n") for block in blocks]
    assert [len(row) for row in tags] == [len(row) for row in gold]
    points = CHUNK_F1.reduce(CHUNK_F1.example_stats(tags, gold).sum(axis=0))
    assert points == pytest.approx(score(made, "udpos", "zh", "chunk_f1"), abs=1e-4)


def test_answers_stand_by_id_in_their_own_script(made):
    text = (made[0] / "xquad" / "test-ar.json").read_text(encoding="utf-8")
    examples = read_evaluation("xquad", "fixtures", "ar").examples
    answers = json.loads(text)
    assert list(answers) == [example.id for example in examples] and any(
        "\u0600" < letter < "\u06ff" for letter in text
    )


def test_tatoeba_tells_positions_for_english_sentences_in_alphabetical_order(made):
    examples = read_evaluation("tatoeba", "fixtures", "de").examples
    order = sorted(range(len(examples)), key=lambda place: examples[place].target.strip())
    found = [int(line) for line in lines(made, "tatoeba", "de")]
    points = 100 * np.mean([place == right for place, right in zip(found, order, strict=True)])
    assert points == pytest.approx(score(made, "tatoeba", "de", "accuracy"), abs=1e-4)


def test_pairs_are_of_buccs_own_ids():
    queries = [Query(f"de-{n}", f"de-{n}", "de", "x", ()) for n in range(3)]
    form, task = FORMS["mining"], TASKS["bucc2018"]
    text = form.write(task, ["en-7", "", "en-2"], queries)
    assert text == "de-0\ten-7\nde-2\ten-2\n" and form.read(task, text, queries, "f") == ["en-7", None, "en-2"]
    with pytest.raises(DataError, match="id '1' is not the release's"):
        form.write(task, ["en-7"], [Query("1", "1", "de", "x", ())])


def test_what_is_gone_partial_or_of_another_split_is_left_out_with_what_to_do(tmp_path, monkeypatch):
    for name in ("runs", "results", "cache"):
        monkeypatch.setenv(f"XT_{name.upper()}", str(tmp_path / name))
    blocks = plan(STUDY)
    gone = write_submission(STUDY, blocks, tmp_path / "out")
    assert len(gone.left_out) == len(LANGUAGES) and not gone.folders and not (tmp_path / "out").exists()
    assert all("xt run mine --seed 1" in why for why in gone.left_out.values())
    xnli = next(run.config for run in blocks[0].runs if run.config.target == "xnli")
    examples = read_evaluation("xnli", "fixtures", "de").examples[:6]
    with store.open_run(xnli.run_id, describe(xnli)) as run:
        store.write_predictions(run, "xnli", frame_of(TASKS["xnli"], [0] * 6, examples))
    store.finish(xnli.run_id)
    partly = write_submission(STUDY, blocks, tmp_path / "out").left_out[xnli.run_id]
    assert "de: 6 of 12 examples were scored" in partly and "max_eval_examples 0" in partly


@pytest.mark.parametrize(
    ("form", "target", "change", "words"),
    [
        ("tsv", "xnli", lambda text: text.replace("neutral", "maybe", 1), r"line \d+: 'maybe'; allowed: entailment"),
        ("tsv", "xnli", lambda text: text + "neutral\n", "13 lines; allowed: 12"),
        ("tsv", "panx", lambda text: text.replace("\n\n", "\n", 1), "11 sentences; allowed: 12"),
        ("tsv", "panx", lambda text: text.replace("\n", "\nO\n", 1), r"sentence 1: \d+ tags; allowed: "),
        ("tsv", "tatoeba", lambda text: "99\n" + text.partition("\n")[2], "line 1: '99'; allowed: 0, 1"),
        ("json", "xquad", lambda text: text.replace("{", '{"5f000000": "again",', 1), "id '5f000000' stands twice"),
        ("json", "xquad", lambda text: text.replace("5f000000", "5f00000x"), "id '5f000000' is missing"),
        ("json", "xquad", lambda text: text[:-9], "no JSON"),
    ],
)  # fmt: skip
def test_a_fault_in_a_file_is_named_and_nothing_is_scored(made, tmp_path, form, target, change, words):
    code = LANGUAGES[target][-1]
    path = tmp_path / "given" / target / f"test-{code}.{form}"
    path.parent.mkdir(parents=True)
    path.write_text(change((made[0] / target / path.name).read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError, match=words) as error:
        import_folder(tmp_path / "given", "faulty", "fixtures", "tiny", "none", 1)
    assert path.name in str(error.value)
