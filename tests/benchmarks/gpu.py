"""On a GPU: fine-tuning of XLM-R large's shape in bf16, at 128 and at 384 tokens, beside both Trainers."""

import pandas as pd

from tests.benchmarks import frame

TAKES = "XLM-R large's shape, random weights, 128 and 384 tokens, batch 32 to 256, against two Trainers: 20 minutes"
LARGE = dict(
    vocab_size=250_002, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
    max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1,
)  # fmt: skip
TARGETS = {"pairs": "ratio >= 0.45", "windows": "ratio >= 0.55"}


def measure(tiny: bool = False) -> pd.DataFrame:
    """A row per kind of text and batch size: share of the peak on real tokens, and times over both baselines.

    Tiny runs a small shape, on a processor as well. Raises Skipped without a GPU.
    """
    import torch

    from tests.benchmarks.step import TINY
    from tests.benchmarks.steps_on_gpu import measure_batch

    if not (tiny or torch.cuda.is_available()):
        raise frame.Skipped("this machine has no GPU")
    shape, sizes = (TINY, (2,)) if tiny else (LARGE, (32, 64, 128, 256))
    measured = [measure_batch(shape, kind, size, target, tiny) for kind, target in TARGETS.items() for size in sizes]
    return frame.table([row for rows in measured for row in rows])
