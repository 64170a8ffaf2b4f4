"""XTREME's prediction files from the run folders of a study: a folder per encoder, arm and seed, a folder per task."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xt import store
from xt.config import ScoreConfig
from xt.errors import DataError
from xt.grid import Block
from xt.metrics.depth import reported_layer
from xt.prediction_files import form_of
from xt.reported import RETRIEVAL_DIRECTION
from xt.results import write_bytes
from xt.study import Study
from xt.tasks import get_task, read_evaluation


@dataclass(frozen=True)
class Submission:
    """What was written, and what was not."""

    folders: list[Path]
    """One per encoder, arm and seed."""
    left_out: dict[str, str]
    """Run id, or a run that cannot be made -> why no file was written."""


def write_submission(study: Study, blocks: Iterable[Block], place: Path) -> Submission:
    """Writes `<place>/<encoder>-<arm>-s<seed>/<task>/test-<language>.<suffix>` of all scorings that are there.

    Left out, with the reason: runs whose folder is gone (the committed statistics hold no predictions), runs scored on
    some of the examples, or on another split than the benchmark's.
    """
    folders, left_out = [], {}
    for block in blocks:
        left_out |= block.lacking
        name = re.sub(r"[^\w.+-]+", "_", f"{block.encoder}-{block.intermediate}-s{block.seed}")
        for run in block.runs:
            if isinstance(run.config, ScoreConfig):
                try:
                    write_task(study, run.config, place / name)
                    folders.append(place / name)
                except DataError as error:
                    left_out[run.run_id] = str(error)
    return Submission(list(dict.fromkeys(folders)), left_out)


def write_task(study: Study, config: ScoreConfig, place: Path) -> None:
    """Writes the files of one scoring, all languages or none. DataError where they would not be what XTREME reads."""
    task = get_task(config.target)
    form, texts = form_of(task), {}
    if not store.is_complete(config.run_id):
        raise DataError(
            f"no predictions in {store.run_folder(config.run_id)}, and the committed results hold none; to make them "
            f"again: XT_RESULTS=<an empty folder> xt run {study.name} --seed {config.seed}"
        )
    store.check_whole(config.run_id)
    frame = reported_rows(store.read_predictions(store.run_folder(config.run_id)))
    for code in config.languages:
        data = read_evaluation(task.name, config.root, code, split=config.split_of(code))
        if data.split != task.evaluation.split:
            raise DataError(f"{code} was scored on split {data.split!r}; allowed: {task.evaluation.split}")
        predictions = frame[frame["eval_language"] == code].set_index("id")["prediction"]
        if len(predictions) != len(data.examples):
            raise DataError(f"{code}: {len(predictions)} of {len(data.examples)} examples were scored; allowed: all, "
                            "with max_eval_examples 0")  # fmt: skip
        ordered = predictions.loc[[example.id for example in data.examples]]
        texts[f"test-{code}.{form.suffix}"] = form.write(task, list(ordered), data.examples)
    for name, text in texts.items():
        write_bytes(place / task.name / name, text.encode())


def reported_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Of retrieval the layer and the direction that are reported; of the rest all rows."""
    if "layer" not in frame:
        return frame
    return frame[(frame["layer"] == reported_layer(frame["layer"].max())) & (frame["direction"] == RETRIEVAL_DIRECTION)]
