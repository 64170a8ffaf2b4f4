"""What is damaged on disk is named before it is used, and made again or refused: every file, every region."""

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from faults.grid_of import STUDY, places
from faults.soak import SOAK, count

from xt import checkpoint, store
from xt.collecting import result_of
from xt.disk import SUMS, find_damage, is_sound, write_folder
from xt.errors import DataError
from xt.grid import StudyRunner
from xt.lab.repository import write_split
from xt.parameters import pretrain_config
from xt.pretrain import build_if_ours, make_tokenizer
from xt.transfer import describe, run_block, train_model

FEW = (0.0, 0.5, 1.0)


def regions(size: int, step: int) -> list[int]:
    """Places in a file: the first byte, the middle one and the last; in `make soak` one in every `step` bytes."""
    few = {int(part * (size - 1)) for part in FEW}
    return sorted(few | set(range(0, size, step))) if SOAK else sorted(few)


def damage(path: Path, step: int = 1 << 30) -> Iterator[str]:
    """Flips a bit of a file, region by region, then cuts it off there; what was done. The file is whole at the end."""
    content = path.read_bytes()
    try:
        for place in regions(len(content), step):
            flipped = bytearray(content)
            flipped[place] ^= 1
            path.write_bytes(flipped)
            yield f"{path.name}: bit flipped in byte {place}"
            path.write_bytes(content[:place])
            yield f"{path.name}: cut off at byte {place}"
    finally:
        path.write_bytes(content)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder of a store, the scoring that stands in it, its score rows): a target after an intermediate task."""
    place = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in places(place).items():
            patch.setenv(name, value)
        config = STUDY.score_config("tiny", "mnli", "xnli", 1)
        return place, config, run_block([config])


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    """The same in a copy of this test alone."""
    place, config, scores = made
    shutil.copytree(place, tmp_path / "copy")
    for name, value in places(tmp_path / "copy").items():
        monkeypatch.setenv(name, value)
    return config, scores


def test_any_damaged_region_of_any_file_of_a_run_is_named(here):
    config, _ = here
    with count("a file of a finished run: a bit flipped, or cut off", "damage-runs") as tally:
        for run_id in (config.run_id, config.model.model_id, config.model.parent.model_id):
            place = store.run_folder(run_id)
            assert store.damaged_files(run_id) == [] and len(store.read_sums(run_id)) >= 3
            for name in (*store.read_sums(run_id), "DONE"):
                for what in damage(place / name, step=256):
                    tally.tries += 1
                    found = store.damaged_files(run_id)
                    if not found or (name != "DONE" and found != [name]):
                        tally.half_read += 1
                        tally.notes.append(f"{run_id}: {what}: {found}")
            assert store.damaged_files(run_id) == []


@pytest.mark.parametrize("name", ["predictions.parquet", "scores.csv", "config.json", "DONE"])
def test_a_damaged_scoring_is_named_and_made_again(name, here):
    config, scores = here
    place = store.run_folder(config.run_id)
    path = place / name if (place / name).exists() else next((place / "predictions").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=f"is damaged in .*{path.name}.*: the run is made again"):
        again = run_block([config])
    assert again.drop(columns="code_version").equals(scores.drop(columns="code_version"))
    assert store.is_whole(config.run_id)


def test_a_damaged_configuration_does_not_refuse_the_run_that_it_says_is_made_again(here, monkeypatch):
    config, _ = here
    path = store.run_folder(config.run_id) / "config.json"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.warns(UserWarning, match="is damaged in config.json"):
        assert not store.is_whole(config.run_id), "as a study finds it, before a notebook starts"
    with store.open_run(config.run_id, describe(config)) as folder:
        assert json.loads((folder / "config.json").read_text())["run_id"] == config.run_id


def test_a_whole_model_is_read_while_another_process_holds_it(here, monkeypatch):
    model = here[0].model.parent

    def refuse(*_):
        raise AssertionError("readers of one model wait for each other")

    monkeypatch.setattr(store, "hold", refuse)
    assert train_model(model) == store.run_folder(model.model_id)
    (store.run_folder(model.model_id) / "checkpoint").mkdir()
    with pytest.raises(AssertionError):
        train_model(model)  # what a kill left is cleared up, alone


def test_a_notebook_kept_while_the_run_is_made_again_makes_nothing_complete(here, tmp_path, monkeypatch):
    run_id, lock_of = here[0].run_id, store.lock_of

    def begin_again(run_id):
        (store.run_folder(run_id) / "DONE").unlink()
        (store.run_folder(run_id) / "scores.csv").write_text("half")
        return lock_of(run_id)

    (tmp_path / "out.ipynb").write_text("{}")
    monkeypatch.setattr(store, "lock_of", begin_again)
    store.keep_notebook(run_id, tmp_path / "out.ipynb")
    assert not store.is_complete(run_id)
    store.release_weights(run_id)
    assert not (store.run_folder(run_id) / "DONE").exists()


def test_nothing_starts_from_damaged_weights(here):
    config, scores = here
    for run_id in (config.run_id, config.model.model_id):
        shutil.rmtree(store.run_folder(run_id))
    weights = store.run_folder(config.model.parent.model_id) / "encoder" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged in encoder/model.safetensors: the run is made again"):
        assert run_block([config])["score"].tolist() == scores["score"].tolist()


def test_a_damaged_run_is_not_reported_but_made_again_by_the_study(here):
    config, _ = here
    said = []
    path = store.run_folder(config.run_id) / "outcome.json"
    path.write_bytes(path.read_bytes().replace(b'"seconds": ', b'"seconds": 1'))
    with pytest.raises(DataError, match="is damaged in outcome.json; start the study again"):
        result_of(config, STUDY.name)
    runner = StudyRunner(STUDY, said.append)
    assert runner.runs[config.run_id].state == "complete"
    runner.collect_complete()
    assert any(line.startswith("DAMAGED") and "outcome.json" in line for line in said)
    assert runner.runs[config.run_id].state == "missing" and not runner.failures
    assert config.run_id in [run_id for made in runner.list_executions(1) for run_id in made.run_ids]


def test_a_damaged_checkpoint_is_named_and_the_training_begins_anew(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(30, 30), torch.nn.Linear(30, 3))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 30)).sum().backward()
    optimizer.step()
    log, place = tmp_path / "train.jsonl", tmp_path / "checkpoint"
    log.write_text('{"step": 1}\n')
    checkpoint.save_progress(place, model, optimizer, checkpoint.Progress(step=1), dict(model.named_parameters()))
    log.write_text('{"step": 1}\n{"step": 2}\n')
    kept = checkpoint.clone_weights(model)
    assert checkpoint.load_progress(place, model, optimizer)[0].step == 1, "the log may have grown"
    with count("a file of a checkpoint: a bit flipped, or cut off", "damage-checkpoints") as tally:
        for path in [*sorted(path for path in place.iterdir()), log]:
            for what in damage(path, step=16):
                if path == log and " byte " in what and int(what.split()[-1]) >= len('{"step": 1}\n'):
                    continue  # what was logged after the checkpoint is cut off in any case
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    found = checkpoint.load_progress(place, model, optimizer)
                tally.tries += 1
                named = said and (path.name in str(said[0].message) or path.name == SUMS)
                if found != (checkpoint.Progress(), None) or not named:
                    tally.half_read += 1
                    tally.notes.append(what)
    assert all(torch.equal(value, kept[name]) for name, value in checkpoint.clone_weights(model).items())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "cache"))


def make_split() -> Path:
    return (
        write_split(100, "nyu-mll/glue", "mnli", "validation_matched") / "nyu-mll/glue/mnli/validation_matched.parquet"
    )


def make_encoder() -> Path:
    return Path(build_if_ours("tiny"))


@pytest.mark.parametrize("make", [make_split, make_encoder])
def test_what_is_kept_and_damaged_is_named_and_made_again(make, cache):
    whole = make()
    files = [whole] if whole.is_file() else sorted(path for path in whole.iterdir())
    good = {path: path.read_bytes() for path in files}
    with count(
        f"{make.__name__.removeprefix('make_')} in the cache: a bit flipped, or cut off", "damage-cache"
    ) as tally:
        for path in files:
            for what in damage(path, step=1024):
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    tally.tries += 1
                    if is_sound(whole) or not said:
                        tally.half_read += 1
                        tally.notes.append(what)
    for path in files[-1:]:
        path.write_bytes(good[path][:-1])
    with pytest.warns(UserWarning, match="is damaged in .*: it is made again"):
        make()
    assert {path: path.read_bytes() for path in files} == good and is_sound(whole)


def test_a_damaged_tokenizer_is_refused_because_another_one_would_be_another(cache, monkeypatch):
    monkeypatch.setattr("xt.pretrain.train_tokenizer", lambda *_: tokenizer)
    monkeypatch.setattr("xt.pretrain.read_text", lambda *_: [])
    tokenizer = type(
        "Saved", (), {"save_pretrained": lambda self, place: (place / "tokenizer.json").write_text("{}")}
    )()
    monkeypatch.setattr("xt.pretrain.PreTrainedTokenizerFast.from_pretrained", lambda place: place)
    config = pretrain_config(encoder="lab-tiny", root="lab-100")
    place = make_tokenizer(config)
    assert find_damage(place) == []
    (place / "tokenizer.json").write_text("[]")
    with pytest.raises(DataError, match="is damaged in tokenizer.json; delete it, and the tokenizer is made again"):
        make_tokenizer(config)


def test_the_notebook_of_a_finished_run_is_known_by_its_sum_and_is_the_one_that_made_it(here, tmp_path):
    config, _ = here
    notebook, place = tmp_path / "out.ipynb", store.run_folder(config.run_id)
    notebook.write_text("made it")
    store.keep_notebook(config.run_id, notebook)
    notebook.write_text("found it made")
    store.keep_notebook(config.run_id, notebook)
    assert (place / "notebook.ipynb").read_text() == "made it" and store.damaged_files(config.run_id) == []
    (place / "notebook.ipynb").write_text("made i")
    assert store.damaged_files(config.run_id) == ["notebook.ipynb"]


def test_a_folder_that_was_never_sealed_is_taken_as_it_is_where_older_ones_lie(tmp_path):
    write_folder(tmp_path / "older", lambda place: (place / "file").write_text("x"))
    assert is_sound(tmp_path / "older") and find_damage(tmp_path / "older") == [SUMS]
