"""What the hub's tests do as its client, in a process of its own: `python client.py <function> <arguments>`.

The clients read HF_ENDPOINT and HF_HOME when they are imported. The result is printed as JSON, and so is a
DataError: `{"DataError": message}`. Any other error ends the process.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping

from xt.errors import DataError


def read_pairs(revision: str = "") -> dict:
    """Rows of owner/TwoPairs at a revision ('' is main) and what the reader says it read."""
    from xt.languages import get_language
    from xt.tasks.roots import open_root
    from xt.tasks.sources import Source

    columns = {"source": "source", "target": "target"}
    source = Source("owner/TwoPairs", "de", "test", columns, revision=revision or None)
    loaded = open_root("hub").read(source, get_language("de"))
    return {"rows": loaded.table.to_pylist(), "files": loaded.files}


def read_tasks(root: str, *readings: str) -> dict[str, str]:
    """`task/language` (evaluation rows) or `task` (training rows) -> digest of its examples."""
    from xt.tasks import read_evaluation, read_training

    digests = {}
    for reading in readings:
        task, _, language = reading.partition("/")
        if language:
            examples = read_evaluation(task, root, language).examples
        else:
            data = read_training(task, root, num_selection=8)
            examples = data.train + data.selection
        digests[reading] = hashlib.sha256(repr(examples).encode()).hexdigest()
    return digests


def build_encoder(folder: str) -> dict:
    """Writes a random XLM-R of one layer with a word tokenizer, and returns what `encode` returns for it."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    words = [*special.values(), "guten", "Morgen"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = XLMRobertaConfig(vocab_size=len(words), max_position_embeddings=32, **shape)
    XLMRobertaModel(config).save_pretrained(folder)
    return encode(folder)


def encode(source: str, revision: str = "") -> dict:
    """Token ids of a sentence and the digest of its last hidden state, from a folder or a hub id."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    encoder = AutoModel.from_pretrained(source, revision=revision or None, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(source, revision=revision or None)
    inputs = tokenizer("guten Morgen", return_tensors="pt")
    with torch.inference_mode():
        hidden = encoder(**inputs).last_hidden_state
    digest = hashlib.sha256(hidden.numpy().tobytes()).hexdigest()
    return {"ids": inputs["input_ids"][0].tolist(), "hidden": digest}


def open_encoder(source: str, revision: str = "") -> dict:
    """What `encode` returns, of an encoder as a run opens it."""
    import torch

    from xt.knobs import Knobs
    from xt.model import load_encoder, load_tokenizer

    encoder = load_encoder(source, Knobs(), revision or None).eval()
    inputs = load_tokenizer(source, revision or None)("guten Morgen", return_tensors="pt")
    with torch.inference_mode():
        hidden = encoder(**inputs).last_hidden_state
    digest = hashlib.sha256(hidden.numpy().tobytes()).hexdigest()
    return {"ids": inputs["input_ids"][0].tolist(), "hidden": digest}


FUNCTIONS: Mapping[str, Callable] = {
    function.__name__: function for function in (read_pairs, read_tasks, build_encoder, encode, open_encoder)
}

if __name__ == "__main__":
    try:
        answer = FUNCTIONS[sys.argv[1]](*sys.argv[2:])
    except DataError as error:
        answer = {"DataError": str(error)}
    print(json.dumps(answer))
