"""What distances do to scores, in sentences."""

import pandas as pd

from xt.prose.words import say_list, say_number


def answer_response(slopes: pd.DataFrame) -> str:
    """Which distances show in which target's scores, from `xt.response.distance_slopes`, in one or two sentences.

    A predictor is said to show where its 95 % interval lies on one side of 0; the intervals are not adjusted, and how
    many chance alone would give is said.
    """
    shows = slopes[(slopes["low"] > 0) | (slopes["high"] < 0)]
    if slopes.empty:
        return "Not known: no target has three languages above their floor."
    if shows.empty:
        return "No: no distance shows in the scores of any target."
    named = shows["predictor"].str.replace("_", " ") + " " + shows["slope"].map(say_number)
    said = [f"{target}: {say_list(words)}" for target, words in named.groupby(shows["target"], sort=False)]
    return (
        f"{len(shows)} of {len(slopes)} pairs of target and predictor show, where chance alone gives "
        f"{0.05 * len(slopes):.1f} (points from the nearest to the farthest language, interval on one side of 0): "
        f"{'; '.join(said)}."
    )
