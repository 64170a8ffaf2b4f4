"""What encoders read in pretraining, and how large they are."""

import math

import pytest

from xt.exposure import encoder_size, load_exposure
from xt.lab.languages import LAB_LANGUAGES, RESOURCES


def rows_of(encoder, codes):
    return {row["language"]: row for row in load_exposure(encoder, codes)}


def test_an_encoder_of_the_lab_read_what_its_recipe_names():
    base, english = rows_of("lab-base-s2", ["qab", "qaq"]), rows_of("lab-english", ["qaa", "qab"])
    assert base["qab"]["resource"] == RESOURCES[LAB_LANGUAGES["qab"].resource] and base["qab"]["unit"] == "words"
    assert base["qab"]["log_resource"] == pytest.approx(math.log2(101)) and base["qaq"]["seen"] is False
    assert english["qaa"]["seen"] and not english["qab"]["seen"] and english["qab"]["log_resource"] == 0


def test_encoders_of_real_text_read_their_own_corpora():
    mini, large = rows_of("mini", ["de", "th", "ta"]), rows_of("FacebookAI/xlm-roberta-large", ["de", "yo"])
    assert mini["de"]["seen"] and mini["de"]["log_resource"] == pytest.approx(math.log2(1 + 4040))
    assert not mini["th"]["seen"] and not mini["ta"]["seen"], "in the mirror's text, and not read by mini"
    assert rows_of("mini-english", ["de"])["de"]["resource"] == 0 and rows_of("mini-small", ["de"])["de"]["seen"]
    assert large["de"]["resource"] == 66.6 and large["de"]["unit"] == "GiB" and not large["yo"]["seen"]
    assert large["de"]["log_resource"] == pytest.approx(math.log2(1 + 66.6 * 1024))


def test_what_nobody_knows_is_missing_and_not_none_read():
    [row] = load_exposure("somebody/encoder", ["de"])
    assert math.isnan(row["resource"]) and math.isnan(row["log_resource"]) and row["seen"] is None
    assert math.isnan(load_exposure("mini", ["qab"])[0]["resource"]), "mini never read a language of the lab knowingly"
    with pytest.raises(ValueError, match="unknown language 'xx'"):
        load_exposure("mini", ["xx"])


def test_sizes_count_what_is_not_an_embedding():
    assert encoder_size("lab-base") == encoder_size("lab-base-s1") == pytest.approx(1.0e6, rel=0.01)
    assert encoder_size("lab-small") < encoder_size("lab-base") < encoder_size("lab-large") == encoder_size("mini")
    assert encoder_size("FacebookAI/xlm-roberta-large") == pytest.approx(302e6, rel=0.01)
    assert math.isnan(encoder_size("somebody/encoder"))
