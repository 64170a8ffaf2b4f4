"""On a slow disk checkpoints come more seldom, so that a training is not made of saving."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from test_train import KNOBS, prepare, run

from xt import train as loop


@pytest.mark.parametrize(("seconds", "expected"), [(1, [3, 6, 9]), (10, [3, 12])])
def test_a_save_that_takes_long_is_made_more_seldom(
    seconds, expected, fixtures_root, tiny_encoder, tmp_path, monkeypatch
):
    """An update takes 25 s, a minute passes between two saves; no more than a twentieth of the time goes into them."""
    now, saved = [0.0], []
    knobs = replace(KNOBS, num_epochs=5.0)
    network, (part,), pad = prepare(["mnli"], fixtures_root, tiny_encoder, knobs)

    def draw(features, chosen, rng):
        now[0] += 25.0
        return features.select(chosen)

    def save(place, model, optimizer, progress, best):
        saved.append(progress.step)
        now[0] += seconds

    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 60.0)
    monkeypatch.setattr(loop, "save_progress", save)
    run((network, [replace(part, draw=draw)], pad), tmp_path / "run", knobs)
    assert saved[: len(expected)] == expected
