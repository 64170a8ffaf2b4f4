"""A hub that is away, in trouble, slow or wrong: asked again a few times, then told what to do offline."""

import os
import time
from pathlib import Path

import pytest
from faults.soak import count, soak_only, tries
from hub.running import NEW, OLD, run_client, sources_of, write_pairs
from hub.server import Repository, serve

from xt.errors import DataError
from xt.hub import ask_hub

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
        for number in range(tries(1, 10)):
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


def blobs_of(home: Path) -> list[Path]:
    """The files of the cache."""
    return sorted(path for path in home.rglob("blobs/*") if path.is_file() and path.suffix != ".incomplete")


def test_a_damaged_file_of_the_cache_is_named_and_fetched_again(pairs, home):
    """Every file, at places over all of it; offline it is refused."""
    with count("damaged file in the hub's cache", "hub") as tally, serve([pairs]) as hub:
        run_client(home, hub.url, "read_pairs", NEW)
        places = [(blob, at) for blob in blobs_of(home) for at in range(4)]
        for blob, at in places[:: 1 if tries(0, 1) else 5]:
            whole = blob.read_bytes()
            spot = at * (len(whole) - 1) // 3
            blob.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
            os.utime(blob, (time.time() + tally.tries, time.time() + tally.tries))
            if at % 2:
                refused = run_client(home, hub.url, "read_pairs", NEW, offline=True)
                tally.half_read += "DataError" not in refused
            tally.half_read += run_client(home, hub.url, "read_pairs", NEW).get("rows") != ROWS
            tally.tries += 1
    assert tally.lost == 0


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
        whole = weights.read_bytes()
        weights.write_bytes(whole[:-100] + bytes([whole[-100] ^ 64]) + whole[-99:])
        assert run_client(home, hub.url, "open_encoder", "owner/tiny", OLD) == built
    message = run_client(tmp_path / "elsewhere", "", "open_encoder", "owner/tiny", OLD, offline=True)["DataError"]
    assert "owner/tiny" in message and "fetch it once online" in message
