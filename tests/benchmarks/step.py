"""One training step: how much of the device's rate it reaches on real tokens, and where the rest goes."""

import pandas as pd

from tests.benchmarks import frame

TAKES = "a few updates of mini's and of XLM-R base's shape, on pairs and on 384-token windows, profiled: 5 minutes"
BASE = dict(
    vocab_size=250_002, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072,
    max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1,
)  # fmt: skip
MINI = BASE | dict(
    vocab_size=16_000, hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024
)
TINY = MINI | dict(vocab_size=500, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)


def measure(tiny: bool = False) -> pd.DataFrame:
    """A row per shape and kind of text: share of the peak, and the shares of the profile in columns of their own."""
    from tests.benchmarks.steps import measure_shape

    shapes = {"tiny": (TINY, 2)} if tiny else {"mini's shape": (MINI, 12), "XLM-R base's shape": (BASE, 4)}
    rows = []
    for name, (shape, updates) in shapes.items():
        for kind in ("pairs",) if tiny else ("pairs", "windows"):
            rows += measure_shape(f"training step, {name}, {kind}", shape, kind, updates, tiny, aim=shape is BASE)
    return frame.table(rows)
