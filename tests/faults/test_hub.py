"""A hub that is away, in trouble, slow or wrong: asked again a few times, then told what to do offline."""

import hashlib
import os
from pathlib import Path

import pytest
from faults.soak import count, soak_only, tries
from hub.running import NEW, OLD, run_client, sources_of, write_pairs
from hub.server import Repository, serve

from xt import digests, hub
from xt.downloads import check_checkpoint
from xt.errors import DataError
from xt.hub import ask_hub, open_pretrained

QUICK = {"HF_HUB_DOWNLOAD_TIMEOUT": "1", "HF_HUB_ETAG_TIMEOUT": "1"}


@pytest.fixture
def pairs(tmp_path):
    """A dataset of two files."""
    return Repository("datasets", "owner/TwoPairs", {NEW: write_pairs(tmp_path / "new", "moin", "hallo")})


@pytest.fixture
def home(tmp_path):
    """An empty cache."""
    return tmp_path / "home"


def test_who_asks_is_answered_by_a_later_try_and_after_the_last_one_told_what_to_do(monkeypatch):
    monkeypatch.setattr("xt.hub.FIRST_WAIT", 0.01)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    asked = []

    def answer_at_last(number, error):
        asked.append(number)
        if len(asked) < number:
            raise error
        return "rows"

    with pytest.warns(UserWarning, match="the rows: away; asked again"):
        assert ask_hub("the rows", "Use a folder.", answer_at_last, 3, ConnectionError("away")) == "rows"
    assert asked == [3, 3, 3]
    asked.clear()
    with pytest.raises(DataError, match="the rows: away Use a folder."), pytest.warns(UserWarning):
        ask_hub("the rows", "Use a folder.", answer_at_last, 9, ConnectionError("away"))
    assert asked == [9, 9, 9]
    asked.clear()
    with pytest.raises(DataError, match="the rows: not yours"):
        ask_hub("the rows", "Use a folder.", answer_at_last, 2, PermissionError("not yours"))
    assert asked == [2]


@soak_only
def test_a_hub_in_trouble_is_asked_again_and_then_read_whole(pairs, home):
    with count("hub in trouble for a while", "hub") as tally:
        for number in range(10):
            with serve([pairs]) as hub:
                hub.failing = 12  # more than the client itself asks for
                once = run_client(home / f"{number}a", hub.url, "read_pairs", NEW, XT_HUB_TRIES="1")
                hub.failing = 12
                again = run_client(home / f"{number}b", hub.url, "read_pairs", NEW, XT_HUB_TRIES="3")
            tally.tries += 1
            if "DataError" not in once or sources_of(again) != ["moin", "hallo"]:
                tally.lose(f"{once}, {again}")
    assert tally.lost == 0


@soak_only
def test_a_hub_that_stays_away_is_asked_so_often_and_no_more(pairs, home):
    with serve([pairs]) as hub:
        hub.broken = "/tree/"
        message = run_client(home, hub.url, "read_pairs", XT_HUB_TRIES="1")["DataError"]
        once = len(hub.requests)
        run_client(home, hub.url, "read_pairs", XT_HUB_TRIES="2")
        assert once < len(hub.requests) - once <= 2 * once
    assert "owner/TwoPairs" in message and "fetch it once online, or use a folder root" in message


def test_what_the_hub_does_not_have_is_not_asked_for_again(pairs, home):
    with serve([pairs]) as hub:
        message = run_client(home, hub.url, "read_pairs", "no-such-branch", XT_HUB_TRIES="3")["DataError"]
        asked = len(hub.requests)
        run_client(home, hub.url, "read_pairs", "no-such-branch", XT_HUB_TRIES="1")
        assert len(hub.requests) == 2 * asked
    assert "owner/TwoPairs" in message and "no-such-branch" in message


@soak_only
def test_a_slow_hub_is_waited_for_within_limits(pairs, home):
    with serve([pairs]) as hub:
        hub.stalls, hub.stall_seconds, hub.num_stalls = "test-00001", 3.0, 1
        assert sources_of(run_client(home / "once", hub.url, "read_pairs", NEW, **QUICK)) == ["moin", "hallo"]
        hub.num_stalls = 10**6
        message = run_client(home / "ever", hub.url, "read_pairs", NEW, **QUICK)["DataError"]
    assert "owner/TwoPairs" in message and "folder root" in message


def flip(path: Path, spot: int) -> None:
    """Turns one bit of a file as a disk does that loses it: no time changes."""
    times, whole = path.stat(), path.read_bytes()
    path.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def blobs_of(home: Path) -> list[Path]:
    """The files of the cache."""
    return sorted(path for path in home.rglob("blobs/*") if path.is_file() and path.suffix != ".incomplete")


def test_a_damaged_file_of_the_cache_is_named_and_fetched_again(pairs, home):
    """Every file, at places over all of it; offline it is refused."""
    with count("damaged file in the hub's cache", "hub") as tally, serve([pairs]) as hub:
        run_client(home, hub.url, "read_pairs", NEW)
        places = [(blob, at) for blob in blobs_of(home) for at in range(4)]
        for blob, at in places[:: tries(5, 1)]:
            flip(blob, at * (blob.stat().st_size - 1) // 3)
            if at % 2:
                refused = run_client(home, hub.url, "read_pairs", NEW, offline=True)
                tally.half_read += "DataError" not in refused
            tally.half_read += run_client(home, hub.url, "read_pairs", NEW).get("rows") != ROWS
            tally.tries += 1
    assert tally.lost == 0


@pytest.fixture
def forgetful(tmp_path, monkeypatch):
    """Forgets what this process has read of files and asked of the hub, as a new one has not: a function."""
    monkeypatch.setenv("XT_CACHE", str(tmp_path / "remembered"))
    monkeypatch.setattr(digests, "TAKEN", {})
    monkeypatch.setattr(hub, "PINNED", {})

    def forget():
        digests.TAKEN.clear()
        for remembered in (digests._remembered_digest, digests._read_digest):
            remembered.cache_clear()

    forget()
    yield forget
    forget()


class Reader:
    """Stands for a class of transformers: gives what it was asked for."""

    @staticmethod
    def from_pretrained(source, revision=None):
        return Path(source).name, revision


NAMES = {"sha256": hashlib.sha256(b"weights").hexdigest(), "git": hashlib.sha1(b"blob 7\0weights").hexdigest()}


def cache_file(place: Path, name: str = "sha256") -> tuple[Path, Path]:
    """(a snapshot as the hub's client keeps it, the bytes of its only file)."""
    blob = place / "blobs" / NAMES[name]
    for folder in (blob.parent, place / "snapshot"):
        folder.mkdir()
    blob.write_bytes(b"weights")
    (place / "snapshot" / "model.safetensors").symlink_to(blob)
    return place / "snapshot", blob


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "spoil", [lambda blob: flip(blob, 2), lambda blob: blob.write_bytes(b"")], ids=["bit", "empty"]
)
def test_what_is_lost_in_the_cache_is_noticed_though_no_time_changed(name, spoil, forgetful, tmp_path):
    snapshot, blob = cache_file(tmp_path, name)
    assert hub.drop_damaged(snapshot) == []
    forgetful()
    spoil(blob)
    with pytest.warns(UserWarning, match="is damaged"):
        assert hub.drop_damaged(snapshot) == ["model.safetensors"]


def test_a_bit_lost_in_a_folder_is_noticed_when_it_is_opened_though_no_time_changed(forgetful, tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    planned = digests.file_digest(file)
    forgetful()
    assert digests.file_digest(file) == planned and open_pretrained("it", "", Reader, str(tmp_path), None)
    forgetful()
    flip(file, 2)
    assert digests.file_digest(file) == planned, "planning reads no file again"
    with pytest.raises(DataError, match="model.safetensors is damaged: its bytes changed, its time did not"):
        open_pretrained("it", "", Reader, str(tmp_path), None)


@pytest.mark.parametrize("left", [False, True])
def test_a_damaged_file_that_another_process_drops_meanwhile_counts_as_dropped(left, forgetful, tmp_path, monkeypatch):
    """So that it is fetched again; both of its names are gone, or one is left."""
    snapshot, blob = cache_file(tmp_path)
    fits = hub.fits_name

    def look(found):
        blob.unlink()
        left or (snapshot / "model.safetensors").unlink()
        return fits(found)

    monkeypatch.setattr(hub, "fits_name", look)
    with pytest.warns(UserWarning, match="model.safetensors is damaged"):
        assert hub.drop_damaged(snapshot) == ["model.safetensors"]
    assert not list(snapshot.iterdir())


@pytest.fixture
def answering(forgetful, tmp_path, monkeypatch):
    """A hub whose `main` moves each time it is asked; `answering.away` names files that it cannot be asked for."""
    from huggingface_hub import errors

    commits, away = iter("abcdef"), set()

    def answer(source, name, revision):
        if name in away:
            raise errors.LocalEntryNotFoundError("no answer")
        place = tmp_path / (revision or next(commits) * 40)
        place.mkdir(exist_ok=True)
        (place / name).write_text("{}")
        return place / name

    monkeypatch.setattr("huggingface_hub.hf_hub_download", answer)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("XT_HUB_TRIES", "1")
    answer.away = away
    return answer


def test_weights_are_read_of_the_commit_that_was_looked_through_though_main_moves(answering):
    check_checkpoint("owner/name")
    for _ in range(2):
        assert open_pretrained("an encoder", "", Reader, "owner/name", None) == ("name", "a" * 40)
    assert open_pretrained("an encoder", "", Reader, "owner/other", None) == ("other", "b" * 40)


def test_a_checkpoint_that_cannot_be_looked_through_is_not_read(answering, monkeypatch):
    for name in ("config.json", "model.safetensors.index.json", "adapter_config.json"):
        answering.away.add(name)
        with pytest.raises(DataError, match="'owner/name': no folder with weights.*no answer.*fetch it once online"):
            check_checkpoint("owner/name")
        answering.away.clear()
    check_checkpoint("owner/name")
    answering.away.add("adapter_config.json")  # offline nothing can be fetched that was not looked at
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    check_checkpoint("owner/name")


ROWS = [{"source": source, "target": "good morning"} for source in ("moin", "hallo")]


def test_a_download_that_comes_wrong_is_not_read(pairs, home):
    with serve([pairs]) as hub:
        hub.spoilt = "test-00001"
        wrong = run_client(home, hub.url, "read_pairs", NEW)
        hub.spoilt = None
        right = run_client(home, hub.url, "read_pairs", NEW)
    assert "DataError" in wrong and "test-00001" in wrong["DataError"] and right["rows"] == ROWS


@soak_only
def test_an_encoder_is_asked_for_again_and_a_damaged_one_fetched_again(tmp_path, home):
    place = tmp_path / "encoder"
    built = run_client(home, "", "build_encoder", str(place), offline=True)
    with serve([Repository("models", "owner/tiny", {OLD: place})]) as hub:
        hub.failing = 12
        assert run_client(home, hub.url, "open_encoder", "owner/tiny", OLD, XT_HUB_TRIES="3") == built
        weights = next(
            path for path in blobs_of(home) if path.stat().st_size == (place / "model.safetensors").stat().st_size
        )
        flip(weights, weights.stat().st_size - 100)
        assert run_client(home, hub.url, "open_encoder", "owner/tiny", OLD) == built
    message = run_client(tmp_path / "elsewhere", "", "open_encoder", "owner/tiny", OLD, offline=True)["DataError"]
    assert "owner/tiny" in message and "fetch it once online" in message
