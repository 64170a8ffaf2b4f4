"""Does an intermediate task gain more in a multilingual encoder than in an English-only one?

The contrast is a difference of gains: what an arm adds to the encoder that read many languages, less what it adds to
one of the same size that read the training language alone. Both are compared on the same languages, those above their
floor in both: where an encoder scores like a trivial answer it cannot show a gain, and a difference would be of floors.
Groups of languages are those of `xt.recommend`, by what the multilingual encoder read and by script.

One pretraining each is one draw of two. Intervals are over fine-tuning seeds and items, conditional on these encoders.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from xt.exposure import encoder_size, load_exposure
from xt.gains import ALL, MIN_LANGUAGES, Means, ScoreCube, average_targets, is_placebo
from xt.recommend import GROUPS, WHOLE, describe_languages
from xt.stats import adjust_benjamini_hochberg, adjust_family, adjust_holm, percentile_interval
from xt.stats.two_encoders import compare_gains

PRIMARY_GROUPS = ("little text", "unseen")
"""The question is about these: languages of which the multilingual encoder read little, or nothing."""
SHOWN_GROUPS = (WHOLE, "much text", *PRIMARY_GROUPS, "same script", "other script")
DIFFERENCE_COLUMNS = (
    "multilingual english group target intermediate placebo gain_multilingual gain_english difference low high p "
    "p_adjusted baseline_multilingual baseline_english num_languages num_targets num_seeds kind"
).split()
"""Columns of `difference_table`."""


def find_pairs(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """(multilingual, English-only) encoders of the same size among those scored; the latter read nothing but the
    language of the target's training data. Encoders of unknown reading or size are left out."""
    codes, homes = sorted(scores["eval_language"].unique()), set(scores["train_language"].dropna())
    sizes, read = {}, {}
    for encoder in sorted(scores["encoder"].unique()):
        rows = load_exposure(encoder, sorted({*codes, *homes}))
        if all(row["seen"] is not None for row in rows):
            read[encoder] = {row["language"] for row in rows if row["seen"]}
            sizes[encoder] = encoder_size(encoder)
    return [
        (many, one)
        for one in read
        for many in read
        if len(read[one]) == 1 and read[one] <= homes and read[one] < read[many] and sizes[one] == sizes[many]
    ]


def group_languages(pair: Sequence[ScoreCube], home: str) -> dict[str, np.ndarray]:
    """Group -> mask (L,) of its languages that are above their floor in both encoders and zero-shot for every arm; none
    where these are fewer than MIN_LANGUAGES of all groups together."""
    above = ~(pair[0].at_floor | pair[1].at_floor) & pair[0].zero_shot.all(axis=0) & pair[1].zero_shot.all(axis=0)
    above &= above.sum() >= MIN_LANGUAGES
    table = describe_languages(pair[0].encoder, pair[0].languages, home)
    return {name: GROUPS[name](table).to_numpy(bool) & above for name in SHOWN_GROUPS}


def count_languages(cubes: Mapping[str, Sequence[ScoreCube]], home: str) -> pd.DataFrame:
    """One row per target and group: languages that were scored, and those above their floor in the multilingual
    encoder, in the English-only one, and in both (`compared`)."""
    rows = []
    for target, pair in cubes.items():
        table, compared = describe_languages(pair[0].encoder, pair[0].languages, home), group_languages(pair, home)
        for name in SHOWN_GROUPS:
            own = GROUPS[name](table).to_numpy(bool)
            above = [int((own & ~cube.at_floor).sum()) for cube in pair]
            rows.append(dict(target=target, group=name, scored=int(own.sum()), multilingual=above[0], english=above[1],
                             compared=int(compared[name].sum())))  # fmt: skip
    return pd.DataFrame(rows, columns="target group scored multilingual english compared".split())


def difference_table(cubes: Mapping[str, Sequence[ScoreCube]], home: str) -> pd.DataFrame:
    """One row per group of languages, target (and their mean, ALL) and arm (DIFFERENCE_COLUMNS), in points.

    `cubes` is `xt.scaling.load_alike` of (multilingual, English-only). `difference` = `gain_multilingual` -
    `gain_english` with its 95 % interval. `p_adjusted`: by Holm over arms and PRIMARY_GROUPS for the mean over targets,
    which is the primary family, by Benjamini and Hochberg over all else, which is exploratory; placebos left out.
    """
    rows = []
    masks = {target: group_languages(pair, home) for target, pair in cubes.items()}
    for group in SHOWN_GROUPS:
        shown = [target for target in cubes if masks[target][group].any()]
        for name, targets in ({target: [target] for target in shown} | ({ALL: shown} if shown else {})).items():
            means = [
                average_targets(
                    [cubes[target][side] for target in targets], [masks[target][group] for target in targets]
                )
                for side in range(2)
            ]
            about = dict(group=group, target=name, num_targets=len(targets))
            about["num_languages"] = int(sum(masks[target][group].sum() for target in targets))
            rows += describe_difference(means, about | name_encoders(cubes))
    table = pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS)
    primary = (table["target"] == ALL) & table["group"].isin(PRIMARY_GROUPS)
    for found, adjust in ((primary, adjust_holm), (~primary, adjust_benjamini_hochberg)):
        table.loc[found, "p_adjusted"] = adjust_family(table[found], ["multilingual"], adjust)
    return table.sort_values("target", key=lambda names: names != ALL, kind="stable").reset_index(drop=True)


def name_encoders(cubes: Mapping[str, Sequence[ScoreCube]]) -> dict[str, str]:
    """The two encoders of the cubes."""
    first, second = next(iter(cubes.values()))
    return dict(multilingual=first.encoder, english=second.encoder)


def describe_difference(means: Sequence[Means], about: dict) -> list[dict]:
    """Rows of `difference_table`, one per arm, of the means of the two encoders; none where targets share no arm."""
    first, second = means
    if len(first.arms) < 2:
        return []
    test = compare_gains(
        (first.points, first.resampled),
        (second.points, second.resampled),
        min(part.num_clusters for part in means),
        untrained=first.untrained,
    )
    gains = [(part.points[:, 1:] - part.points[:, :1]).mean(axis=0) for part in means]
    baselines = [part.points[:, 0].mean() for part in means]
    return [
        about | dict(
            intermediate=arm, placebo=is_placebo(arm), gain_multilingual=gains[0][place], gain_english=gains[1][place],
            difference=test.gain[place], low=test.low[place], high=test.high[place], p=test.p[place], kind=test.kind,
            baseline_multilingual=baselines[0], baseline_english=baselines[1],
            num_seeds=min(len(part.seeds) for part in means),
        )
        for place, arm in enumerate(first.arms[1:])
    ]  # fmt: skip


def scores_by_language(cubes: Mapping[str, Sequence[ScoreCube]]) -> pd.DataFrame:
    """One row per target, language and encoder: the baseline's `score` in points, mean over seeds, with its 95 %
    item-cluster interval (`low`, `high`), and `at_floor`."""
    tables = []
    for target, pair in cubes.items():
        for cube in pair:
            low, high = (np.full(len(cube.languages), np.nan),) * 2
            if cube.resampled is not None:
                low, high = percentile_interval(cube.resampled[:, :, 0].mean(axis=1))
            tables.append(pd.DataFrame(dict(
                target=target, encoder=cube.encoder, eval_language=cube.languages, low=low, high=high,
                score=cube.points[:, 0].mean(axis=0), at_floor=cube.at_floor,
            )))  # fmt: skip
    columns = "target encoder eval_language score low high at_floor".split()
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
