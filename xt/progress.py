"""Progress of a run inside a notebook: a bar with the time left, a line now and then where nobody watches."""

import sys
from collections.abc import Callable

from tqdm.std import tqdm

SECONDS = 5.0
"""Between two states of a bar."""


def watch() -> Callable[[dict], None]:
    """A report function for `xt.transfer`: it gets dicts with `step`, `num_steps` and more, and draws a bar of them."""
    bars: dict[tuple, tqdm] = {}

    def report(line: dict) -> None:
        title = f"score {line['scoring']}" if "scoring" in line else line.get("doing", "train")
        key = (title, line["num_steps"])
        if key not in bars or line["step"] <= bars[key].n:
            bars[key] = tqdm(total=line["num_steps"], desc=title, mininterval=SECONDS, file=sys.stdout, leave=True)
        bar = bars[key]
        if "loss" in line:
            bar.set_postfix(loss=f"{line['loss']:.2f}", refresh=False)
        bar.update(line["step"] - bar.n)
        if line["step"] == line["num_steps"]:
            bar.close()

    return report
