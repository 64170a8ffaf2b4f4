"""`root="hub"` with the hub's real clients, against a hub on the loopback."""

from pathlib import Path

import pytest
from hub.running import NEW, OLD, run_client, sources_of, write_pairs
from hub.server import Repository, serve

from xt.tasks import TASKS, list_languages


@pytest.fixture
def home(tmp_path):
    """An empty cache."""
    return tmp_path / "home"


@pytest.fixture
def pairs(tmp_path):
    """A dataset of two commits; `main` is the newer one."""
    old = write_pairs(tmp_path / "old", "guten Morgen")
    new = write_pairs(tmp_path / "new", "moin", "hallo")
    return Repository("datasets", "owner/TwoPairs", {OLD: old, NEW: new})


def test_pinned_revision_is_read_while_main_has_moved(pairs, home):
    with serve([pairs]) as hub:
        main = run_client(home, hub.url, "read_pairs")
        pinned = run_client(home, hub.url, "read_pairs", OLD)
    assert sources_of(main) == ["moin", "hallo"] and NEW in main["files"][0]
    assert sources_of(pinned) == ["guten Morgen"] and OLD in pinned["files"][0]


def test_second_start_fetches_no_file_and_offline_asks_nothing(pairs, home):
    with serve([pairs]) as hub:
        first = run_client(home, hub.url, "read_pairs", NEW)
        fetched = hub.downloads()
        second = run_client(home, hub.url, "read_pairs", NEW)
        assert len(hub.downloads(".parquet")) == 2, "one download per file"
        assert hub.downloads() == fetched
        asked = len(hub.requests)
        offline = run_client(home, hub.url, "read_pairs", NEW, offline=True)
        assert len(hub.requests) == asked
    gone = run_client(home, hub.url, "read_pairs", NEW, offline=True)
    assert first == second == offline == gone


def test_offline_never_stands_one_commit_in_for_another(pairs, home):
    with serve([pairs]) as hub:
        run_client(home, hub.url, "read_pairs", NEW)
        run_client(home, hub.url, "read_pairs", OLD)
    assert sources_of(run_client(home, hub.url, "read_pairs", NEW, offline=True)) == ["moin", "hallo"]
    unseen = "c" * 40
    message = run_client(home, hub.url, "read_pairs", unseen, offline=True)["DataError"]
    assert "owner/TwoPairs" in message and unseen in message


def test_listing_in_pages_and_an_interrupted_download_lose_no_row(pairs, home):
    with serve([pairs], page=1) as hub:
        hub.cut = 50
        assert sources_of(run_client(home, hub.url, "read_pairs")) == ["moin", "hallo"]
        sent = hub.downloads()
    assert len(sent) == len(set(sent)) + 1, "the file that was cut was asked for once more"


def test_half_a_fetch_is_never_read_as_the_whole(pairs, home):
    with serve([pairs]) as hub:
        hub.broken = "test-00001-of-00002"
        assert "DataError" in run_client(home, hub.url, "read_pairs", NEW)
        assert "DataError" in run_client(home, hub.url, "read_pairs", NEW, offline=True)
        hub.broken = None
        assert sources_of(run_client(home, hub.url, "read_pairs", NEW)) == ["moin", "hallo"]


def test_unknown_dataset_and_revision_are_named(pairs, home):
    with serve([pairs]) as hub:
        revision = run_client(home, hub.url, "read_pairs", "no-such-branch")["DataError"]
    other = Repository("datasets", "owner/others", pairs.commits)
    with serve([other]) as hub:
        dataset = run_client(home, hub.url, "read_pairs")["DataError"]
    assert "owner/TwoPairs" in revision and "no-such-branch" in revision
    assert "owner/TwoPairs" in dataset and "fetch it once online" in dataset


def test_unreachable_hub_ends_in_a_clear_error(home):
    with serve([]) as hub:
        pass
    message = run_client(home, hub.url, "read_pairs")["DataError"]
    assert "owner/TwoPairs" in message and "folder root" in message


def test_hub_that_goes_away_half_way_ends_in_a_clear_error(pairs, home):
    with serve([pairs]) as hub:
        hub.broken = "/tree/"
        message = run_client(home, hub.url, "read_pairs")["DataError"]
    assert "owner/TwoPairs" in message


def repositories_of(root: Path) -> list[Repository]:
    """Every dataset repository of a folder root, at one commit."""
    places = [card.parent for card in root.glob("*/*/README.md")]
    return [Repository("datasets", place.relative_to(root).as_posix(), {OLD: place}) for place in places]


NOT_ON_HUB = {"ccg", "lareqa", "mewslix"}
"""Tasks whose rows the hub does not have as parquet files."""


def list_readings(root: Path) -> list[str]:
    """Each task's own training rows, and its evaluation rows in the first and last language of a root and the hub."""
    there = {name: list_languages(name, "hub") for name in TASKS}
    languages = {name: [code for code in list_languages(name, str(root)) if code in there[name]] for name in TASKS}
    evaluated = [f"{name}/{code}" for name, codes in languages.items() for code in {*codes[:1], *codes[-1:]}]
    return evaluated + [name for name, task in TASKS.items() if task.training and name not in NOT_ON_HUB]


def check_same_rows(root: Path, home: Path, readings: list[str]):
    """The hub's examples are the folder's, to the last character."""
    with serve(repositories_of(root)) as hub:
        from_hub = run_client(home, hub.url, "read_tasks", "hub", *readings)
    assert from_hub == run_client(home, "", "read_tasks", str(root), *readings, offline=True)
    assert set(from_hub) == set(readings)


def test_every_task_reads_the_same_rows_from_the_hub_as_from_the_folder(home, fixtures_root):
    root = Path(fixtures_root)
    readings = list_readings(root)
    assert {reading.partition("/")[0] for reading in readings} == set(TASKS) - NOT_ON_HUB
    check_same_rows(root, home, readings)


def test_mirror_reads_the_same_rows_over_the_hub(home, mirror_root):
    readings = ["hellaswag", "xquad/zh", "xcopa/th", "americasnli/qu", "tatoeba/de", "udpos/ar", "panx/en"]
    check_same_rows(Path(mirror_root), home, readings)


def test_encoder_opens_from_the_hub_then_from_its_cache(tmp_path, home):
    place = tmp_path / "encoder"
    built = run_client(home, "", "build_encoder", str(place), offline=True)
    with serve([Repository("models", "owner/tiny", {OLD: place, NEW: tmp_path})]) as hub:
        first = run_client(home, hub.url, "encode", "owner/tiny", OLD)
        fetched = hub.downloads()
        again = run_client(home, hub.url, "encode", "owner/tiny", OLD)
        assert hub.downloads() == fetched and len(hub.downloads(".safetensors")) == 1
    assert run_client(home, hub.url, "encode", "owner/tiny", OLD, offline=True) == again == first == built


def test_mini_encoder_opens_from_the_hub(home, mini_encoder):
    with serve([Repository("models", "owner/mini", {OLD: mini_encoder})]) as hub:
        from_hub = run_client(home, hub.url, "encode", "owner/mini")
    assert from_hub == run_client(home, "", "encode", str(mini_encoder), offline=True)
