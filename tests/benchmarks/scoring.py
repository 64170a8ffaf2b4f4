"""Scoring alone: 40 languages in one queue against a loop of `Trainer.predict`."""

from functools import partial

import pandas as pd

from tests.benchmarks import frame

TAKES = "250 sentences of PAN-X in each of 40 languages, mini encoder, against two loops of Trainer.predict: 3 minutes"
LANGUAGES = (
    "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko sw yo my zh kk tr et fi "
    "hu uk"
).split()


def measure(tiny: bool = False) -> pd.DataFrame:
    """Time against both baselines. The sentences are validation rows, which the mirror has of 40 languages."""
    from tests.benchmarks.contestants import SCRIPTS, TUNED, score_trainer, score_xt
    from tests.benchmarks.jobs import read_job

    job = read_job("panx", LANGUAGES, tiny, examples=100, scored=250, split="validation")
    settings = {"scripts": (SCRIPTS, "ratio >= 3"), "tuned": (TUNED, "")}
    running = {"xt": partial(score_xt, job)} | {n: partial(score_trainer, s, job) for n, (s, _) in settings.items()}
    measured = frame.alternate(running, 1 if tiny else {"xt": 3, "tuned": 3, "scripts": 1})
    rows = []
    for name, (setting, target) in settings.items():
        found = frame.compare(measured, "xt", name, "score")
        told = dict(arguments=setting.describe(job), note=f"ratios by turn: {found.pop('ratios')}")
        rows.append(frame.row(f"score 40 languages, over {name}", unit="s", target=target, **found, **told))
    return frame.table(rows)
