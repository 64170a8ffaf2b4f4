"""Of a downloaded encoder nothing is read but safetensors and JSON: no pickle is opened, no code runs."""

import json
import os
import shutil

import pytest
import torch
from hub.client import build_encoder

from xt.model import HEADS, build_model, load_encoder, load_model, load_tokenizer
from xt.presets import resolve_knobs
from xt.translate.models import open_model

KNOBS = resolve_knobs("smoke", "mnli", {})


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    place = tmp_path_factory.mktemp("encoder")
    build_encoder(str(place))
    return place


@pytest.fixture
def planted(encoder, tmp_path):
    """A copy of the encoder, and a file whose presence says that planted code ran."""
    return shutil.copytree(encoder, tmp_path / "planted"), tmp_path / "ran"


class Bomb:
    """What runs a command when it is unpickled."""

    def __init__(self, ran):
        self.ran = ran

    def __reduce__(self):
        return os.system, (f"touch {self.ran}",)


READERS = {
    "encoder": lambda place: load_encoder(str(place), KNOBS),
    "head": lambda place: build_model(str(place), HEADS["classification"], 3, KNOBS, 1),
    "its own head": lambda place: build_model(str(place), HEADS["mlm"], 3, KNOBS, 1),
    "fine-tuned": lambda place: load_model(str(place), HEADS["classification"], KNOBS),
    "translator": lambda place: open_model(str(place), None),
}


def change_json(path, **values):
    path.write_text(json.dumps((json.loads(path.read_text()) if path.is_file() else {}) | values))


def only_a_pickle(place, bomb):
    (place / "model.safetensors").unlink()
    torch.save(bomb, place / "pytorch_model.bin")
    return "safetensors"


def an_index_of_pickles(place, bomb):
    only_a_pickle(place, bomb)
    shards = {"embeddings.word_embeddings.weight": "pytorch_model.bin"}
    change_json(place / "model.safetensors.index.json", metadata={}, weight_map=shards)
    return "model.safetensors.index.json names 'pytorch_model.bin'"


def an_index_that_leads_elsewhere(place, bomb):
    (place / "model.safetensors").rename(place.parent / "other.safetensors")
    shards = {"embeddings.word_embeddings.weight": "../other.safetensors"}
    change_json(place / "model.safetensors.index.json", metadata={}, weight_map=shards)
    return "model.safetensors.index.json names '../other.safetensors'"


def a_configuration_that_names_a_pickle(place, bomb):
    torch.save(bomb, place / "adapter_model.bin")
    change_json(place / "config.json", transformers_weights="adapter_model.bin")
    return "config.json names 'adapter_model.bin'"


def an_adapter_of_something_else(place, bomb):
    torch.save(bomb, place / "adapter_model.bin")
    change_json(place / "adapter_config.json", base_model_name_or_path="/elsewhere", peft_type="LORA")
    return "is an adapter of '/elsewhere'"


PLANTED = (only_a_pickle, an_index_of_pickles, an_index_that_leads_elsewhere, a_configuration_that_names_a_pickle,
           an_adapter_of_something_else)  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "plant"),
    [(reader, plant) for reader in READERS for plant in PLANTED if (reader, plant) != ("translator", only_a_pickle)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_weights_that_are_no_safetensors_of_the_checkpoint_are_refused_unopened(reader, plant, planted, monkeypatch):
    place, ran = planted
    said = plant(place, Bomb(ran))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("a pickle was opened"))
    with pytest.raises(ValueError, match=said):
        READERS[reader](place)
    assert not ran.exists()


@pytest.mark.parametrize("model_type", ["xlm-roberta", "planted"])
def test_code_of_a_checkpoint_never_runs(model_type, planted):
    place, ran = planted
    (place / "planted.py").write_text(f"import os\nos.system('touch {ran}')\nclass Planted: pass\n")
    autos = ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification", "AutoModelForMaskedLM")
    change_json(place / "config.json", model_type=model_type, auto_map=dict.fromkeys(autos, "planted.Planted"))
    change_json(place / "tokenizer_config.json", auto_map={"AutoTokenizer": ["planted.Planted"] * 2})
    for read in (*list(READERS.values())[:3], lambda place: load_tokenizer(str(place))):
        if model_type == "planted":
            with pytest.raises(ValueError, match="custom code"):
                read(place)
        else:  # transformers' own class of this type
            assert type(read(place)).__module__.startswith("transformers.")
    assert not ran.exists()


def test_the_checkpoint_that_is_planted_in_would_be_read(encoder):
    assert load_encoder(str(encoder), KNOBS).config.model_type == "xlm-roberta"
    assert build_model(str(encoder), HEADS["classification"], 3, KNOBS, 1)
