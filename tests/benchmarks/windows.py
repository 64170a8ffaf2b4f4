"""Questions on passages: fine-tune on windows of 384 tokens, score 11 languages."""

import pandas as pd

from tests.benchmarks import frame

TAKES = "1,000 questions of SQuAD and 60 of XQuAD in each of 11 languages, 384 tokens, against two Trainers: 6 minutes"
LANGUAGES = "ar de el en es hi ru th tr vi zh".split()


def measure(tiny: bool = False) -> pd.DataFrame:
    """Time against both baselines, and whether the losses agree; the weights are random, of mini's shape."""
    from tests.benchmarks.contestants import race
    from tests.benchmarks.jobs import build_long_mini, read_job

    shape = dict(max_seq_length=384, doc_stride=128, max_query_length=64, max_answer_length=30, empty_windows=-1)
    shape |= dict(num_epochs=1, batch_size=16, tokens_per_batch=6144, trained_embeddings="seen")
    shape = {} if tiny else shape
    job = read_job("xquad", LANGUAGES, tiny, examples=1000, scored=60, build=build_long_mini, **shape)
    return frame.table(
        race(
            "fine-tune on 1,000 questions in windows of 384 tokens, score 11 languages",
            job,
            1 if tiny else 2,
            scripts=2.5,
            tuned=1,
        )
    )
