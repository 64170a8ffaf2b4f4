"""What training and scoring cost against examples, languages and tokens: straight lines, or not."""

import pandas as pd

from tests.benchmarks import frame

TAKES = "training on 1,000 to 8,000 pairs, scoring 5 to 40 languages, and rows of 12 to 96 tokens, mini: 4 minutes"


def measure(tiny: bool = False) -> pd.DataFrame:
    """A row per size, and one per curve with the exponent of its power law (1: linear)."""
    from tests.benchmarks.growth_of import along_examples, along_languages, along_tokens

    return frame.table([row for curve in (along_examples, along_languages, along_tokens) for row in curve(tiny)])
