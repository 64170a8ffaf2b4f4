"""Every kind of encoder at toy size through every format: encoded, trained, decoded, saved, opened again.

And the encoders of the papers at full size, by their configuration alone: no weights are made.
"""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from xt.checkpoint import save_model
from xt.encode import FORMATS, encode_sentences
from xt.encode.mlm import encode_text, mask_tokens
from xt.evaluate import predict
from xt.knobs import Knobs
from xt.locations import vocabulary_files
from xt.model import (
    HEADS,
    Network,
    build_model,
    check_length,
    collate,
    collate_labels,
    load_encoder,
    load_tokenizer,
    max_positions,
)
from xt.pretrain import count_tokenizer, read_texts
from xt.retrieval import embed
from xt.tasks import QueryPassage, read_evaluation, read_training
from xt.train import Look, Part, train
from xt.transfer import build_accelerator

LENGTH = 48
KNOBS = Knobs(
    learning_rate=1e-3, batch_size=4, max_seq_length=LENGTH, precision="fp32", tokens_per_batch=400, dropout=0.0,
    selection_steps=1000, doc_stride=8, max_query_length=16, attention="eager",
)  # fmt: skip
SHAPE = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=LENGTH
)
BEHIND_PADDING = SHAPE | {"max_position_embeddings": LENGTH + 2}
"""The position table of RoBERTa's kind begins behind the padding index, which is 1."""


def word_pieces(texts):
    """A tokenizer of BERT's kind: [CLS] A [SEP] B [SEP], token types 0 and 1, padding 0."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=LENGTH, model_input_names=inputs, **names
    )


def byte_pieces(texts):
    """A tokenizer of RoBERTa's kind: <s> A </s></s> B </s> over bytes, no token types, padding 1."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=LENGTH, unk_token="<unk>", mask_token="<mask>", **names
    )


def unigrams(texts):
    """A tokenizer of XLM-R's kind."""
    return count_tokenizer(texts, LENGTH)


def names(words):
    """Names of architectures as transformers spells them."""
    return dict.fromkeys(words.split(), {})


WORD_PIECES = names("bert convbert distilbert modernbert xlm") | {
    "albert": dict(embedding_size=16),
    "deberta-v2": dict(relative_attention=True, pos_att_type=["p2c", "c2p"], position_biased_input=False),
    "electra": dict(embedding_size=16),
    "rembert": dict(input_embedding_size=16, output_embedding_size=16),
}
"""Read with word pieces: architecture -> what its shape takes besides."""
PADDED = names("camembert mpnet roberta xlm-roberta xlm-roberta-xl") | {
    "xmod": dict(languages=["en_XX"], default_language="en_XX"),
}
"""Read with pieces of RoBERTa's kind, positions counted behind the padding."""
TOKENIZERS = dict.fromkeys(WORD_PIECES, word_pieces) | dict.fromkeys(PADDED, unigrams)
TOKENIZERS |= {"roberta": byte_pieces}
WITHOUT_TYPES = {*PADDED, "deberta-v2", "distilbert", "modernbert", "xlm"}
"""Pairs are told apart by the separator alone."""
WITHOUT_TABLE = {"deberta-v2", "modernbert"}
"""A text longer than `max_position_embeddings` is computed, though the encoder was not made for it."""


@pytest.fixture(scope="module")
def texts():
    return read_texts(vocabulary_files("tiny"))


@pytest.fixture(scope="module")
def encoders(tmp_path_factory, texts):
    """Architecture -> the folder of a random masked language model, made when it is first asked for."""
    place, made = tmp_path_factory.mktemp("architectures"), {}

    def find(name):
        if name not in made:
            made[name] = place / name
            build_encoder(made[name], name, made_tokenizer(TOKENIZERS[name]))
        return str(made[name])

    tokenizers = {}

    def made_tokenizer(make):
        tokenizers.setdefault(make, make(texts) if make not in tokenizers else None)
        return tokenizers[make]

    return find


def build_encoder(place, name, tokenizer):
    ids = {f"{kind}_token_id": getattr(tokenizer, f"{kind}_token_id") for kind in ("pad", "cls", "sep")}
    ids |= {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
    shape = (SHAPE | WORD_PIECES[name]) if name in WORD_PIECES else (BEHIND_PADDING | PADDED[name])
    config = transformers.AutoConfig.for_model(name, vocab_size=len(tokenizer), **shape, **ids)
    torch.manual_seed(0)
    save_model(place, transformers.AutoModelForMaskedLM.from_config(config), tokenizer)


def knobs_for(source):
    """Attention as fast as the architecture allows."""
    config = transformers.AutoConfig.from_pretrained(source)
    fast = transformers.AutoModel._model_mapping[type(config)]._supports_sdpa
    return replace(KNOBS, attention="sdpa" if fast else "eager")


TRAINED_ON = {
    "classification": "mnli", "multiple_choice": "hellaswag", "tagging": "udpos", "span_qa": "squad",
    "span_qa_v2": "squad", "ranking": "squad", "mlm": "squad",
}  # fmt: skip


def examples_of(form, root):
    """Eight examples of a format out of real fixture rows."""
    examples = read_training(TRAINED_ON[form], root, num_selection=8).train[:8]
    if form == "span_qa_v2":
        return [replace(e, answers=e.answers[: place % 2]) for place, e in enumerate(examples)]
    if form == "ranking":
        return [QueryPassage(e.id, e.cluster, "en", e.question, e.context[:40], e.context) for e in examples]
    return examples


def encode(form, examples, tokenizer, knobs):
    """(features, labels included)."""
    if form != "mlm":
        return FORMATS[form].encode(examples, tokenizer, knobs)
    features = encode_text([example.context for example in examples], tokenizer, knobs.max_seq_length)
    return mask_tokens(tokenizer, 0.3)(features, np.arange(len(features)), np.random.default_rng(0))


def outputs_of(network, form, features, tokenizer):
    """What the head says of all features at once, on the host."""
    network.eval()
    every = np.arange(len(features))
    with torch.inference_mode():
        labels = collate_labels(features, every)
        return network(form, collate(features, every, tokenizer.pad_token_id, "cpu"), labels).numpy()


@pytest.mark.parametrize("form", HEADS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_format_is_encoded_trained_decoded_saved_and_opened_again(name, form, encoders, fixtures_root, tmp_path):
    source = encoders(name)
    knobs, tokenizer, head = knobs_for(source), load_tokenizer(source), HEADS[form]
    examples = examples_of(form, fixtures_root)
    features = encode(form, examples, tokenizer, knobs)
    network = Network({form: build_model(source, head, NUM_LABELS.get(form, 2), knobs, seed=1)}, {form: head})
    before = copy.deepcopy(network.state_dict())
    part = Part(form, features, 1, lambda network: Look(50.0, False))
    progress = train(
        network, [part], knobs, 1, build_accelerator(knobs), tmp_path, tokenizer.pad_token_id, lambda line: None
    )
    assert progress.outcome == "ok" and progress.step == 1
    moved = [key for key, value in network.state_dict().items() if not torch.equal(value, before[key])]
    inner = [key for key in moved if ".layer" in key or ".encoder" in key or ".transformer" in key]
    assert inner and len(inner) < len(moved), "the encoder is trained, and what stands around it"
    said = outputs_of(network, form, features, tokenizer)
    assert np.isfinite(said).all()
    if form in FORMATS:
        predicted = predict(network, form, features, knobs.tokens_per_batch, tokenizer.pad_token_id, "cpu")
        assert len(FORMATS[form].decode(predicted, features, examples, knobs)) == len(examples)
    save_model(tmp_path / "model", network.models[form], tokenizer)
    opened = getattr(transformers, head.auto_class).from_pretrained(
        tmp_path / "model", attn_implementation=knobs.attention
    )
    again, reader = Network({form: head.wrap(opened)}, {form: head}), load_tokenizer(str(tmp_path / "model"))
    features = encode(form, examples, reader, knobs)
    np.testing.assert_allclose(outputs_of(again, form, features, reader), said, atol=1e-6)


NUM_LABELS = {"classification": 3, "tagging": 17}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_sentences_are_embedded_by_layer(name, encoders, fixtures_root):
    source = encoders(name)
    knobs, tokenizer = knobs_for(source), load_tokenizer(source)
    sentences = [example.source for example in read_evaluation("tatoeba", fixtures_root, "de").examples]
    features = encode_sentences(sentences, tokenizer, knobs)
    found = embed(load_encoder(source, knobs), features, 200, tokenizer.pad_token_id, "cpu")
    assert found.shape[1:] == (len(sentences), 16) and len(found) == 3
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(found.shape[:2]))
    alone = embed(load_encoder(source, knobs), features.select(np.array([0])), 200, tokenizer.pad_token_id, "cpu")
    if name != "convbert":  # convolutions mix padding in
        torch.testing.assert_close(found[:, :1], alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_token_types_are_those_of_the_architecture(name, encoders, fixtures_root):
    tokenizer = load_tokenizer(encoders(name))
    features = encode("classification", examples_of("classification", fixtures_root), tokenizer, KNOBS)
    if name in WITHOUT_TYPES:
        assert features.token_type_ids is None
        return
    for ids, types in zip(features.input_ids, features.token_type_ids, strict=True):
        first = ids.tolist().index(tokenizer.sep_token_id)
        assert types.tolist() == [0] * (first + 1) + [1] * (len(ids) - first - 1)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_text_of_all_positions_is_read_and_one_token_more_is_refused(name, encoders):
    source = encoders(name)
    knobs, tokenizer = knobs_for(source), load_tokenizer(source)
    encoder = load_encoder(source, knobs).eval()
    assert max_positions(encoder.config) == LENGTH
    check_length(encoder.config, LENGTH, name)
    with pytest.raises(
        ValueError, match=f"max_seq_length = {LENGTH + 1} is too long for '{name}'; allowed: at most {LENGTH}"
    ):
        check_length(encoder.config, LENGTH + 1, name)
    features = encode_sentences(["a b " * LENGTH], tokenizer, knobs)
    assert features.lengths.tolist() == [LENGTH] and features.num_truncated == 1
    inputs = collate(features, np.array([0]), tokenizer.pad_token_id, "cpu")
    with torch.inference_mode():
        assert torch.isfinite(encoder(**inputs).last_hidden_state).all()
        longer = {key: torch.cat([value, value[:, 1:2]], dim=1) for key, value in inputs.items()}
        if name not in WITHOUT_TABLE:
            with pytest.raises((IndexError, RuntimeError)):
                encoder(**longer)


@pytest.mark.parametrize(
    "name, form, knobs, words",
    [
        ("eurobert", "span_qa", {}, "transformers has no AutoModelForQuestionAnswering for eurobert"),
        ("eurobert", "multiple_choice", {}, "transformers has no AutoModelForMultipleChoice for eurobert"),
        ("deberta", "multiple_choice", {}, "transformers has no AutoModelForMultipleChoice for deberta"),
        ("deberta-v2", "tagging", {"attention": "sdpa"}, "attention = 'sdpa' is not to be had for deberta-v2"),
        ("fnet", "tagging", {"attention": "sdpa"}, "attention = 'sdpa' is not to be had for fnet; allowed: eager"),
        ("gpt2", "mlm", {"dropout": -1.0}, "transformers has no AutoModelForMaskedLM for gpt2"),
    ],
)
def test_what_an_architecture_cannot_do_is_refused_before_weights_are_read(name, form, knobs, words, tmp_path):
    transformers.AutoConfig.for_model(name).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=words):
        build_model(str(tmp_path), HEADS[form], 2, replace(KNOBS, **knobs), seed=1)


def base(layers, hidden, heads, vocabulary, **more):
    """The literal shape of an encoder whose inner layer is four times as wide."""
    return dict(
        num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=heads, intermediate_size=4 * hidden,
        vocab_size=vocabulary,
    ) | more  # fmt: skip


BEHIND = dict(max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2)
PUBLISHED = {
    "mBERT": ("bert", base(12, 768, 12, 119547), 178e6, 92.2e6),
    "XLM-R base": ("xlm-roberta", base(12, 768, 12, 250002, **BEHIND), 278e6, 192.4e6),
    "XLM-R large": ("xlm-roberta", base(24, 1024, 16, 250002, **BEHIND), 559.9e6, 256.5e6),
    "XLM-R XL": ("xlm-roberta-xl", base(36, 2560, 32, 250880, **BEHIND), 3.5e9, 643.6e6),
    "XLM-R XXL": ("xlm-roberta-xl", base(48, 4096, 32, 250880, **BEHIND), 10.7e9, 1029.7e6),
    "RoBERTa base": ("roberta", base(12, 768, 12, 50265, **BEHIND), 124.6e6, 39.0e6),
    "RoBERTa large": ("roberta", base(24, 1024, 16, 50265, **BEHIND), 355.4e6, 52.0e6),
}
"""Encoder -> (kind, shape, its parameters as published, those of its embeddings by vocabulary x width)."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_papers_encoders_have_their_published_size_and_take_every_head(name):
    kind, shape, parameters, embedded = PUBLISHED[name]
    config = transformers.AutoConfig.for_model(kind, **shape)
    check_length(config, 512, name)
    with pytest.raises(ValueError, match="allowed: at most 512"):
        check_length(config, 513, name)
    with torch.device("meta"):
        encoder = transformers.AutoModel.from_config(config)
        assert all(getattr(transformers, head.auto_class).from_config(config) for head in {*HEADS.values()})
    tables = encoder.embeddings
    assert sum(p.numel() for p in encoder.parameters()) == pytest.approx(parameters, rel=0.006)
    assert sum(p.numel() for p in tables.parameters()) == pytest.approx(embedded, rel=0.001)
