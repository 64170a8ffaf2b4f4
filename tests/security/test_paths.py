"""No name, from whomever it comes, makes a file outside of the folder it belongs to."""

import pyarrow
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from xt import store
from xt.cli import app
from xt.errors import DataError
from xt.imports import import_scores
from xt.languages import get_language
from xt.tasks.roots import open_root
from xt.tasks.sources import Source

NAMES = ("../outside", "..", "/outside", "a/../../outside", ".hidden", "a\nb", "")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The folders of a project of its own, and beside it what must stay as it is."""
    for name in ("RUNS", "RESULTS", "CACHE", "FIGURES"):
        monkeypatch.setenv(f"XT_{name}", str(tmp_path / "project" / name.lower()))
    (tmp_path / "project" / "results").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "runs.csv").write_text("kept")
    yield tmp_path
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["runs.csv"]
    assert (tmp_path / "outside" / "runs.csv").read_text() == "kept"
    assert {path.name for path in tmp_path.iterdir()} <= {"project", "outside", "scores.csv", "root"}


@pytest.mark.parametrize("name", [*NAMES, "../../outside"])
@pytest.mark.parametrize("command", ["report", "claims", "run", "plan", "submission"])
def test_a_study_of_such_a_name_is_refused(command, name, places, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)  # `xt run` ends what it started; a test has started nothing
    done = CliRunner().invoke(app, [command, name])
    assert done.exit_code == 2 and not isinstance(done.exception, OSError), done.output


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_imported_into_or_under_such_a_name(name, places):
    rows = "encoder,intermediate,target,eval_language,seed,score\n"
    (places / "scores.csv").write_text(rows + "e,none,xnli,de,1,50\n")
    with pytest.raises(ValueError, match="cannot be imported into"):
        import_scores(places / "scores.csv", name)
    (places / "scores.csv").write_text(
        f'{rows}"{name}e","{name}",xnli,de,1,50\n' if name else f"{rows}e,../x,xnli,de,1,50\n"
    )
    place = places / "project" / "results" / "mine"
    if "\n" in name:
        with pytest.raises(DataError, match="a line break in a row"):
            import_scores(places / "scores.csv", "mine")
        assert not place.exists()
        return
    [run_id] = import_scores(places / "scores.csv", "mine")
    assert store.RUN_ID.fullmatch(run_id)
    assert {path.parent.name for path in place.rglob("*.csv")} == {"mine", "scores", "cells"}


@pytest.mark.parametrize("name", [*NAMES, "xnli-none-s1-0123456789ab/../../../outside", "xnli-none-s1-0123456789ab\n"])
def test_no_such_name_is_a_runs(name, places):
    with pytest.raises(ValueError, match="is no run id"):
        store.run_folder(name)


def test_a_run_folder_that_is_a_link_is_not_written_to(places):
    run_id = "xnli-none-s1-0123456789ab"
    place = store.run_folder(run_id)
    place.parent.mkdir(parents=True)
    place.symlink_to(places / "outside")
    with pytest.raises(ValueError, match="is a link"), store.open_run(run_id, {"identity": {}}):
        pass


@pytest.mark.parametrize("pattern", ["../../../outside/*.parquet", "/outside/*.parquet", "de/../../../x/*.parquet"])
def test_a_dataset_reads_no_file_outside_of_its_folder(pattern, places):
    dataset = places / "root" / "owner" / "name"
    dataset.mkdir(parents=True)
    card = "---\nconfigs:\n- config_name: de\n  data_files:\n  - split: test\n    path: {}\n---\n"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"]}), dataset / "test.parquet")
    source = Source("owner/name", "de", "test", {"text": "text"})
    (dataset / "README.md").write_text(card.format("test.parquet"))
    assert open_root(str(places / "root")).read(source, get_language("de")).table.num_rows == 1
    (dataset / "README.md").write_text(card.format(pattern) + "\n")
    with pytest.raises(DataError, match="below the dataset's folder"):
        open_root(str(places / "root")).read(source, get_language("de"))


def test_a_dataset_that_is_a_script_is_refused_unrun(places):
    dataset = places / "root" / "owner" / "name"
    dataset.mkdir(parents=True)
    (dataset / "name.py").write_text(f"open({str(places / 'ran')!r}, 'w')")
    source = Source("owner/name", "de", "test", {"text": "text"})
    with pytest.raises(DataError, match="no dataset with a card"):
        open_root(str(places / "root")).read(source, get_language("de"))
    (dataset / "README.md").write_text(
        "---\nconfigs:\n- config_name: de\n  data_files:\n  - {split: test, path: name.py}\n---\n"
    )
    with pytest.raises(DataError, match="name.py: not readable as parquet"):
        open_root(str(places / "root")).read(source, get_language("de"))
