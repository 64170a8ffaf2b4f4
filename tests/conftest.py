"""Data that several test folders share.

The fixtures are committed. The mirror and the encoder lie beside the project on some machines only. Elsewhere
the tests that need them are skipped with the reason; but where `CI` is set and a folder `shared` stands beside
the project, a missing one is a failure.
"""

import os
from pathlib import Path

import pytest

from xt.locations import PROJECT, folder, vocabulary_files


def _require(place: Path, variable: str) -> Path:
    if place.exists():
        return place
    reason = f"no {place}; set {variable} to the folder that holds it"
    if os.environ.get("CI") and (PROJECT.parent / "shared").is_dir():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def fixtures_root() -> str:
    """The data root of hand-written rows in the releases' formats (`data/fixtures`)."""
    return str(folder("XT_FIXTURES"))


@pytest.fixture(scope="session")
def mirror_root() -> str:
    """The data root of real files."""
    return str(_require(folder("XT_MIRROR") / "MIRROR.json", "XT_MIRROR").parent)


@pytest.fixture(scope="session")
def mini_encoder() -> Path:
    """The folder of the small pretrained encoder."""
    return _require(folder("XT_ENCODERS") / "mini" / "config.json", "XT_ENCODERS").parent


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> str:
    """The folder of the tiny encoder with random weights, built from the fixtures."""
    from xt.pretrain import TINY, build_random_encoder, read_texts

    place = tmp_path_factory.mktemp("encoders") / "tiny"
    build_random_encoder(place, read_texts(vocabulary_files("tiny")), seed=0, **TINY)
    return str(place)


@pytest.fixture(scope="session")
def tokenizer():
    """A tokenizer that has the letters of the fixtures, and these words as one token each."""
    from xt.pretrain import count_tokenizer, read_texts

    words = "Nora writes a letter . She sleeps takes pen Omar sings in Oslo b"
    return count_tokenizer([words, words, *read_texts(vocabulary_files("tiny"))], max_length=128)
