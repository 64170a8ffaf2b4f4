"""Machine translation models: NLLB and Marian, from the hub or a folder, and `tiny` with random weights.

NLLB reads and writes many languages and is told which by a code such as deu_Latn; a Marian model knows one pair.
"""

import json
from functools import partial
from math import ceil
from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.trainers import BpeTrainer

from xt.checkpoint import save_model
from xt.config import encoder_fingerprint
from xt.disk import is_sound
from xt.downloads import ONLY_SAFETENSORS, check_checkpoint
from xt.errors import DataError, require_known
from xt.hub import OFFLINE, open_pretrained
from xt.languages import Language, get_language
from xt.locations import BUILT_HERE, folder, resolve_encoder, vocabulary_files
from xt.locks import open_lock
from xt.machine import device_name, has_native_bf16
from xt.pretrain import read_texts
from xt.tasks import home_language
from xt.translate.run import Translation, Translator

SCRIPTS = {
    "Arabic": "Arab", "Bengali": "Beng", "Burmese": "Mymr", "Cyrillic": "Cyrl",
    "Devanagari": "Deva", "Georgian": "Geor", "Greek": "Grek", "Gujarati": "Gujr",
    "Gurmukhi": "Guru", "Hangul": "Hang", "Hebrew": "Hebr", "Japanese": "Jpan", "Latin": "Latn",
    "Malayalam": "Mlym", "Tamil": "Taml", "Telugu": "Telu", "Thai": "Thai",
}  # fmt: skip
"""Script -> ISO 15924, as NLLB's codes end (NLLB Team 2022, table 1)."""
CODES = {
    "ar": "arb_Arab", "ay": "ayr_Latn", "az": "azj_Latn", "ms": "zsm_Latn",
    "qu": "quy_Latn", "zh": "zho_Hans",
}  # fmt: skip
"""Where NLLB names another variety than ISO 639-3 and script do."""
EXTRA_TOKENS = 10
"""New tokens that every translation may have beyond the ratio of lengths."""
RESERVED_TOKENS = 8
"""Of what a model can read: room for marks and for what normalising adds."""
TINY = dict(
    d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
    encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=256, init_std=0.5,
)  # fmt: skip
TINY_VOCABULARY, TINY_BREVITY = 800, (3, 2.0)
"""Pieces; and the token from which on the end becomes more likely, by which factor, so that translations end."""


def load_translator(config: Translation) -> Translator:
    """The model of a translation, on the GPU in bfloat16 where there is one, else in float32.

    Greedy or beam search, so that the same texts in the same batches give the same translations. Raises ValueError for
    a model that is not to be had, has no safetensors, or does not speak the language.
    """
    source, target = get_language(home_language(config.root)), get_language(config.language)
    name = build_if_tiny(resolve_encoder(config.translator))
    tokenizer, model = open_model(name, config.revision)
    speak = set_languages(tokenizer, source, target)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" and has_native_bf16() else torch.float32
    model = model.to(device, dtype).eval()
    rules = model.generation_config
    rules.num_beams, rules.do_sample, rules.early_stopping, rules.max_length = config.num_beams, False, False, None
    longest = min(tokenizer.model_max_length, model.config.max_position_embeddings)
    run = partial(generate, tokenizer=tokenizer, model=model, longest=longest, ratio=config.max_length_ratio, **speak)
    return Translator(
        translate_texts=run,
        count_tokens=lambda texts: [len(ids) for ids in tokenizer(list(texts), verbose=False)["input_ids"]],
        max_tokens=longest - RESERVED_TOKENS,
        identity={"weights": encoder_fingerprint(config.translator, config.revision), "dtype": str(dtype)}
        | {"commit": getattr(model.config, "_commit_hash", None)},
        record={"device": device_name(), "num_parameters": sum(p.numel() for p in model.parameters())},
    )


def open_model(name: str, revision: str | None) -> tuple:
    """(tokenizer, model) of a folder or hub id: safetensors only, no code from the checkpoint.

    Raises DataError where it is not to be had, or damaged.
    """
    check_checkpoint(name, revision)
    what, advice = (
        f"translator {name!r}, revision {revision or 'main'}",
        f"{ONLY_SAFETENSORS}; {OFFLINE} with its files",
    )
    how = dict(use_safetensors=True, dtype=torch.float32, trust_remote_code=False)
    try:
        tokenizer = open_pretrained(what, advice, transformers.AutoTokenizer, name, revision, trust_remote_code=False)
        return tokenizer, open_pretrained(what, advice, transformers.AutoModelForSeq2SeqLM, name, revision, **how)
    except SafetensorError as error:
        raise DataError(f"{what}: its weights are damaged ({error}); fetch or copy them again") from error


@torch.inference_mode()
def generate(texts, *, tokenizer, model, longest: int, ratio: float, **speak) -> list[str | None]:
    """One translation per text; None where it is empty or does not end in `ratio` x the longest text's tokens + 10."""
    inputs = tokenizer(list(texts), return_tensors="pt", padding=True).to(model.device)
    room = min(ceil(ratio * inputs["input_ids"].shape[1]) + EXTRA_TOKENS, longest - 1)
    output = model.generate(**inputs, max_new_tokens=room, **speak)
    ended = (output[:, 1:] == tokenizer.eos_token_id).any(dim=1).tolist()
    said = tokenizer.batch_decode(output, skip_special_tokens=True)
    return [text.strip() or None if whole else None for text, whole in zip(said, ended, strict=True)]


def set_languages(tokenizer, source: Language, target: Language) -> dict:
    """Tells the tokenizer what it reads; what `generate` needs to be told of the language to write.

    A tokenizer with the attribute `src_lang` knows NLLB's codes; one with `target_lang` is Marian's, for one pair.
    Raises ValueError where the model does not write the language.
    """
    if not hasattr(tokenizer, "src_lang"):
        written = getattr(tokenizer, "target_lang", None)
        if written not in (None, target.code, target.iso3):
            raise ValueError(f"the translator writes {written!r}; asked for: {target.code!r} ({target.name})")
        return {}
    known = [token for token in tokenizer.get_vocab() if token[3:4] == "_" and len(token) == 8]
    tokenizer.src_lang = require_known("language of the translator", nllb_code(source), known)
    asked = require_known("language of the translator", nllb_code(target), known)
    return {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(asked)}


def nllb_code(language: Language) -> str:
    """NLLB's code of a language: deu_Latn. ValueError for a script that NLLB does not write."""
    if language.code in CODES:
        return CODES[language.code]
    return f"{language.iso3}_{SCRIPTS[require_known('script of a translation', language.script, SCRIPTS)]}"


def build_if_tiny(translator: str) -> str:
    """The folder of the tiny translator, built on first use; any other name as it is."""
    if translator not in BUILT_HERE:
        return translator
    place = folder("XT_CACHE") / "translators" / encoder_fingerprint(translator, None)
    place.parent.mkdir(parents=True, exist_ok=True)
    with open_lock(place.with_suffix(".lock")):
        if not is_sound(place):
            build_tiny_translator(place, read_texts(vocabulary_files(translator)))
    return str(place)


def build_tiny_translator(place: Path, texts: list[str]) -> None:
    """Writes an NLLB-shaped model with random weights, and pieces trained on `texts`; what it writes is nonsense."""
    pieces = Tokenizer(BPE(unk_token="<unk>"))
    pieces.pre_tokenizer = Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces.train_from_iterator(
        texts, BpeTrainer(vocab_size=TINY_VOCABULARY, special_tokens=special, show_progress=False)
    )
    model = json.loads(pieces.to_str())["model"]
    tokenizer = transformers.NllbTokenizer(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]])
    torch.manual_seed(0)
    translator = transformers.M2M100ForConditionalGeneration(
        transformers.M2M100Config(vocab_size=len(tokenizer), **TINY)
    )
    translator.generation_config.exponential_decay_length_penalty = TINY_BREVITY
    save_model(place, translator, tokenizer)
