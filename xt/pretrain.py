"""Encoders made here: a tokenizer and masked language modelling on a root's text, as a recipe says.

Beside them `tiny`, with random weights over a vocabulary counted on the fixtures: it lets every part run on any
machine in seconds; it knows nothing, and its scores mean nothing.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import log
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from tokenizers.trainers import UnigramTrainer
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from xt.batching import num_updates
from xt.checkpoint import save_model
from xt.config import TRAINING_VERSION, PretrainConfig, encoder_fingerprint, short_hash
from xt.disk import find_damage, is_sound, seal, write_folder
from xt.encode.features import Features, Ragged
from xt.encode.mlm import encode_text, mask_tokens
from xt.errors import DataError
from xt.incidents import compute_parts, note_not_finite, noting
from xt.locations import BUILT_HERE, folder, resolve_encoder, vocabulary_files
from xt.locks import open_lock
from xt.model import HEADS, Network, collate, collate_labels, load_tokenizer
from xt.tasks import fingerprint_text, read_text, text_status, worst_status
from xt.train import Look, Part, Training

SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
TINY = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=130
)
TINY_SEED = 0
TASK = "mlm"
MAX_PIECE_LENGTH = 10
"""Characters; in a script without spaces longer pieces would be whole sentences."""
SCORE_DIGITS = 4
"""To which a piece's log probability is rounded; pieces are ordered by it, then by spelling."""


def prepare_pretraining(config: PretrainConfig, device) -> Training:
    """What one pretraining reads: an encoder drawn from the seed, its tokenizer, and documents by language.

    A document longer than `max_seq_length` is several features. A slice of the features is held out; the look at it is
    the accuracy at masked positions, in points.
    """
    recipe, knobs = config.recipe, config.knobs
    tokenizer = make_tokenizer(config)
    torch.manual_seed(config.seed)
    shape = XLMRobertaConfig(
        vocab_size=max(len(tokenizer), recipe.vocab_size if recipe.tokenizer else 0),
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.num_layers,
        num_attention_heads=recipe.num_heads,
        intermediate_size=4 * recipe.hidden_size,
        max_position_embeddings=knobs.max_seq_length + 2,
        type_vocab_size=1,
        hidden_dropout_prob=max(knobs.dropout, 0.0),
        attention_probs_dropout_prob=max(knobs.dropout, 0.0),
    )
    model = XLMRobertaForMaskedLM._from_config(shape, dtype=torch.float32, attn_implementation=knobs.attention)
    texts = {code: read_text(config.root, code) for code in recipe.languages}
    encoded = {code: encode_text(text, tokenizer, knobs.max_seq_length) for code, text in texts.items()}
    every, owners = join_languages(encoded)
    train, held_out = split_documents(every, knobs.num_selection_examples, knobs.data_seed)
    chosen, counts = sample_documents(every, owners, train, recipe, np.random.default_rng([config.seed, 5]))
    draw, features = mask_tokens(tokenizer, recipe.mask_ratio), every.select(chosen)
    masked = draw(every, held_out, np.random.default_rng([knobs.data_seed, 6]))
    look = partial(look_at_text, features=masked, knobs=knobs, pad_token_id=tokenizer.pad_token_id, device=device)
    updates = num_updates(len(features), 1, knobs.batch_size)
    record = {
        "num_train_examples": len(chosen),
        "num_selection_examples": len(held_out),
        "num_documents": {code: len(text) for code, text in texts.items()},
        "num_tokens": {code: int(count) for code, count in zip(encoded, counts, strict=True)},
        "num_truncated": 0,
        "vocab_size": len(tokenizer),
        "num_encoder_parameters": num_parameters_besides_embeddings(model.base_model),
        "data_status": worst_status(*(text_status(config.root, code) for code in recipe.languages)),
    }
    return Training(Network({TASK: model}, {TASK: HEADS[TASK]}), (Part(TASK, features, updates, look, draw),),
                    tokenizer, record)  # fmt: skip


def join_languages(encoded: Mapping[str, Features]) -> tuple[Features, np.ndarray]:
    """(all features, (F,) the language each came from, counted in the mapping's order)."""
    rows = [part.input_ids for part in encoded.values()]
    ids = Ragged(np.concatenate([row.values for row in rows]), np.concatenate([row.lengths for row in rows]))
    owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return Features(ids, None, np.arange(len(ids))), owners


def split_documents(features: Features, num_selection: int, data_seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(features to train on, features held out), disjoint; at most a tenth is held out."""
    order = np.random.default_rng([data_seed, 7]).permutation(len(features))
    size = min(num_selection, len(features) // 10)
    return np.sort(order[size:]), np.sort(order[:size])


def sample_documents(features: Features, owners: np.ndarray, train: np.ndarray, recipe, rng) -> tuple:
    """(features to read once each, in any order; (languages,) tokens read of each).

    A language is read in proportion to (its tokens) ** `sampling_exponent` (Conneau and Lample 2019, 3.1), whole passes
    over its documents first, then a random part of one, until the token budget is spent.
    """
    lengths, chosen = features.lengths, []
    tokens = np.bincount(owners[train], lengths[train])
    share = tokens**recipe.sampling_exponent / (tokens**recipe.sampling_exponent).sum()
    for language, budget in enumerate(share * recipe.num_tokens):
        documents = train[owners[train] == language]
        passes, left = divmod(budget, tokens[language])
        order = rng.permutation(documents)
        chosen += [documents] * int(passes) + [order[np.cumsum(lengths[order]) <= left]]
    chosen = np.concatenate(chosen)
    return chosen, np.bincount(owners[chosen], lengths[chosen], minlength=len(tokens))


def draw_documents(
    texts: Mapping[str, Sequence[str]], count: int, rng: np.random.Generator, exponent: float = 0.5
) -> dict[str, np.ndarray]:
    """Language -> places of its documents to read, about `count` in all, in proportion to (documents) ** `exponent`.

    No document is drawn twice: a language that has fewer than its share gives all of them.
    """
    sizes = np.array([len(documents) for documents in texts.values()], dtype=float)
    wanted = np.minimum(sizes, np.ceil(count * sizes**exponent / (sizes**exponent).sum())).astype(int)
    return {code: rng.permutation(len(texts[code]))[:number] for code, number in zip(texts, wanted, strict=True)}


@torch.inference_mode()
def look_at_text(network: Network, features: Features, knobs, pad_token_id: int, device) -> Look:
    """The share of hidden tokens that the network finds, in points."""
    network.eval()
    right = count = 0

    def compute(part: np.ndarray) -> tuple[int, int]:
        gold = collate_labels(features, part).to(device)
        scores = network(TASK, collate(features, part, pad_token_id, device), gold)
        note_not_finite(scores)
        return int((scores.argmax(dim=-1) == gold[gold >= 0]).sum()), len(scores)

    with noting() as seen:
        for _, found in compute_parts(features, knobs.tokens_per_batch, compute):
            right, count = right + found[0], count + found[1]
    return Look(100 * right / max(1, count), False, not seen.num_not_finite)


def num_parameters_besides_embeddings(encoder) -> int:
    """Parameters of an encoder without its embedding tables."""
    tables = sum(module.weight.numel() for module in encoder.modules() if isinstance(module, torch.nn.Embedding))
    return sum(parameter.numel() for parameter in encoder.parameters()) - tables


def make_tokenizer(config: PretrainConfig) -> PreTrainedTokenizerFast:
    """The tokenizer of a recipe: another encoder's, or made on a root's text on first use and kept for every encoder
    that shares it."""
    recipe, root = config.recipe, config.root
    if recipe.tokenizer:
        return load_tokenizer(build_if_ours(resolve_encoder(recipe.tokenizer)))
    text = {code: fingerprint_text(root, code) for code in recipe.tokenizer_languages}
    made_by = [TRAINING_VERSION, text, recipe.vocab_size, recipe.sampling_exponent, config.knobs.max_seq_length]
    name = short_hash(dict(enumerate(made_by)))
    place = folder("XT_CACHE") / "tokenizers" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(place.with_suffix(".lock")):
        if not (place / "tokenizer.json").is_file():
            texts = [read_text(root, code) for code in recipe.tokenizer_languages]
            trained = train_tokenizer(texts, recipe, config.knobs.max_seq_length)
            write_folder(place, lambda fresh: (trained.save_pretrained(fresh), seal(fresh)))
        if damaged := find_damage(place, if_unsealed=()):  # another one would part some words otherwise
            raise DataError(f"{place} is damaged in {', '.join(damaged)}; delete it, and the tokenizer is made again")
    return PreTrainedTokenizerFast.from_pretrained(place)


def train_tokenizer(texts: Sequence[Sequence[str]], recipe, max_length: int) -> PreTrainedTokenizerFast:
    """A Unigram tokenizer (Kudo 2018) on as much text of each language as the temperature gives it.

    The same texts give the same pieces, and scores that agree to a thousandth: the trainer sums in no fixed order, so
    that an encoder made again may part a few words otherwise. A run keeps the tokenizer it was trained with.
    """
    sizes = np.array([sum(map(len, documents)) for documents in texts], dtype=float)
    share = (sizes / sizes.max()) ** recipe.sampling_exponent / (sizes / sizes.max())
    kept = share / share.max()
    sample = [
        text for documents, part in zip(texts, kept, strict=True) for text in documents[: round(part * len(documents))]
    ]
    trained = bare_tokenizer(Unigram(), WORDS_AND_PUNCTUATION)
    trainer = UnigramTrainer(
        vocab_size=recipe.vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        unk_token="<unk>",
        max_piece_length=MAX_PIECE_LENGTH,
        shrinking_factor=0.9,
        show_progress=False,
    )
    trained.train_from_iterator(sample, trainer)
    pieces = [(piece, round(score, SCORE_DIGITS)) for piece, score in json.loads(trained.to_str())["model"]["vocab"]]
    ordinary = sorted((row for row in pieces if row[0] not in SPECIAL_TOKENS), key=lambda row: (-row[1], row[0]))
    return wrap_tokenizer(ordinary, max_length, WORDS_AND_PUNCTUATION)


def build_if_ours(encoder: str) -> str:
    """The folder of an encoder that is made here, built on first use; any other name as it is."""
    if encoder not in BUILT_HERE:
        return encoder
    place = folder("XT_CACHE") / "encoders" / encoder_fingerprint(encoder, None)
    place.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(place.with_suffix(".lock")):
        if not is_sound(place):
            build_random_encoder(place, read_texts(vocabulary_files(encoder)), TINY_SEED, **TINY)
    return str(place)


def build_random_encoder(place: Path, texts: Iterable[str], seed: int, **shape: int) -> None:
    """Writes an XLM-R-shaped masked language model with random weights and a vocabulary counted on `texts`."""
    tokenizer = count_tokenizer(texts, shape["max_position_embeddings"] - 2)
    torch.manual_seed(seed)
    model = XLMRobertaForMaskedLM(XLMRobertaConfig(vocab_size=len(tokenizer), type_vocab_size=1, **shape))
    save_model(place, model, tokenizer)


def count_tokenizer(texts: Iterable[str], max_length: int, min_count: int = 2) -> PreTrainedTokenizerFast:
    """A Unigram tokenizer whose pieces are all characters and the words seen `min_count` times, scored by log count.

    Nothing is iterated or drawn, so the same texts give the same bytes on any machine.
    """
    normalizer = normalizers.NFKC()
    words = Counter(word for text in texts for word in normalizer.normalize_str(text).split())
    letters = Counter()
    for word, count in words.items():
        for letter in "▁" + word:
            letters[letter] += count
    pieces = {f"▁{word}": count for word, count in words.items() if count >= min_count and len(word) > 1} | letters
    total = sum(pieces.values())
    scored = [(piece, log(count / total)) for piece, count in sorted(pieces.items())]
    return wrap_tokenizer(scored, max_length, WORDS)


WORDS = pre_tokenizers.Metaspace()
"""Marks the beginnings of words, as XLM-R's tokenizer does."""
WORDS_AND_PUNCTUATION = pre_tokenizers.Sequence([WORDS, pre_tokenizers.Punctuation()])
"""The same with punctuation apart: without spaces it would stick to words."""


def bare_tokenizer(model: Unigram, pre_tokenizer) -> Tokenizer:
    """A tokenizer that normalises by NFKC."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.decoder = normalizers.NFKC(), decoders.Metaspace()
    tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer


def wrap_tokenizer(pieces: Sequence[tuple[str, float]], max_length: int, pre_tokenizer) -> PreTrainedTokenizerFast:
    """The tokenizer of these scored pieces with XLM-R's special tokens, as transformers uses it."""
    vocabulary = [(token, 0.0) for token in SPECIAL_TOKENS[:-1]] + list(pieces) + [(SPECIAL_TOKENS[-1], 0.0)]
    tokenizer = bare_tokenizer(
        Unigram(vocabulary, unk_id=SPECIAL_TOKENS.index("<unk>"), byte_fallback=False), pre_tokenizer
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def read_texts(files: Iterable[Path]) -> list[str]:
    """Every string in some parquet files, in the order of files, columns and rows."""
    texts: list[str] = []
    for path in files:
        for column in pq.read_table(path).columns:
            texts += strings(column.combine_chunks())
    return texts


def strings(values: pa.Array) -> list[str]:
    """The strings of an arrow array, lists and structs opened."""
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return strings(values.flatten())
    if pa.types.is_struct(values.type):
        return [text for child in values.flatten() for text in strings(child)]
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    return [text for text in values.to_pylist() if text] if is_text else []
