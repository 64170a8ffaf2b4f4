"""Encoders made here. So far one: `tiny`, random weights over a vocabulary counted on the fixtures.

It lets every part run on any machine in seconds; it knows nothing, and its scores mean nothing.
"""

from collections import Counter
from collections.abc import Iterable
from math import log
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from filelock import FileLock
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from xt.checkpoint import save_model
from xt.config import encoder_fingerprint
from xt.locations import BUILT_HERE, folder

SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
TINY = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=130
)
TINY_SEED = 0


def build_if_ours(encoder: str) -> str:
    """The folder of an encoder that is made here, built on first use; any other name as it is."""
    if encoder not in BUILT_HERE:
        return encoder
    place = folder("XT_CACHE") / "encoders" / encoder_fingerprint(encoder, None)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if not (place / "model.safetensors").is_file():
            build_random_encoder(place, read_texts(folder("XT_FIXTURES")), TINY_SEED, **TINY)
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
    vocabulary = [(token, 0.0) for token in SPECIAL_TOKENS[:-1]] + scored + [(SPECIAL_TOKENS[-1], 0.0)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=SPECIAL_TOKENS.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
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


def read_texts(root: Path) -> list[str]:
    """Every string in every parquet file below a folder, in the order of files, columns and rows."""
    texts: list[str] = []
    for path in sorted(root.rglob("*.parquet")):
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
