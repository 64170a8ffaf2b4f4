"""Somebody's own scores or predictions as runs of a study, so that the same tests, tables and figures serve them.

    scores        a table: encoder, intermediate, target, eval_language, seed, score, and more where it is known
    predictions   a table: encoder, intermediate, target, eval_language, seed, id, prediction; scored against a root
    a folder      XTREME's files, `<task>/test-<language>.<suffix>`, of one encoder, arm and seed; scored likewise

The baseline is the arm `none`; any other name is taken. Nobody here has seen what the models were trained on: the data
status is `imported`, so that no table sets such a score beside a published one, unless the user says what it is.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from xt.arms import TRANSLATED, find_arm
from xt.config import short_hash
from xt.errors import DataError, require_known
from xt.locations import folder
from xt.machine import code_version
from xt.metrics import METRICS
from xt.prediction_files import form_of, match_ids, parse_choice, parse_label, parse_tags
from xt.results import IMPORTED, OPTIONAL_COUNT, OPTIONAL_POINTS, OPTIONAL_TEXT, OUTCOME, SCORE_COLUMNS, TEXT, write_run
from xt.schema import Column, check_table, refuse_duplicates
from xt.studies import STUDIES
from xt.tasks import STATUSES, TASKS, all_languages_of, get_task, read_evaluation, read_training, worst_status

RUN_KEYS = ["encoder", "intermediate", "target", "seed"]
SHARED: Mapping[str, Column] = {
    "encoder": TEXT,
    "intermediate": TEXT,
    "target": Column("string", allowed=tuple(name for name, task in TASKS.items() if "target" in task.roles)),
    "eval_language": TEXT,
    "seed": Column("Int64", low=0),
}
SCORES: Mapping[str, Column] = SHARED | {
    "score": Column("Float64", low=0, high=100),
    "metric": Column("string", required=False, allowed=tuple(METRICS)),
    "split": OPTIONAL_TEXT,
    "train_language": OPTIONAL_TEXT,
    "intermediate_language": OPTIONAL_TEXT,
    "num_examples": OPTIONAL_COUNT,
    "floor": OPTIONAL_POINTS,
    "outcome": Column("string", required=False, allowed=OUTCOME.allowed),
}
"""Columns of a table of scores; those that are not required may be left out."""
PREDICTIONS: Mapping[str, Column] = SHARED | {
    "id": TEXT,
    "prediction": OPTIONAL_TEXT,
    "intermediate_language": OPTIONAL_TEXT,
}
"""Columns of a table of predictions: a label by name, the place of a choice, tags joined by blanks, an answer, ids."""


def import_source(source: Path, study: str, root: str, data_status: str, made_by: Mapping) -> list[str]:
    """Imports a folder, or a table by its columns; `made_by` names a folder's `encoder`, `intermediate` and `seed`.

    Returns the ids of the runs. Raises DataError or ValueError saying what is allowed.
    """
    if source.is_dir():
        lacking = [name for name in ("encoder", "intermediate") if not made_by[name]]
        if lacking:
            raise ValueError(f"{source} is a folder: give --{' and --'.join(lacking)}, which its files do not tell")
        return import_folder(source, study, root, **made_by, data_status=data_status)
    if "prediction" in read_cells(source):
        return import_predictions(source, study, root, data_status)
    return import_scores(source, study, data_status)


def read_cells(path: Path) -> pd.DataFrame:
    """The cells of a table as texts. DataError naming the file, and the line that has more or fewer cells than columns
    (of which pandas would make other columns, or empty cells)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no table of text ({error}); allowed: CSV in UTF-8") from error
    columns = lines[0][1] if lines else []
    if not columns or len(set(columns)) < len(columns):
        raise DataError(f"{path}: no table of text: its columns are {columns}; allowed: names, each once")
    ragged = next(((number, line) for number, line in lines if len(line) != len(columns)), None)
    if ragged:
        raise DataError(f"{path}, line {ragged[0]}: {len(ragged[1])} cells; allowed: {len(columns)}, one per column")
    return pd.DataFrame([line for _, line in lines[1:]], columns=columns, dtype=str)


def import_scores(path: Path, study: str, data_status: str = IMPORTED) -> list[str]:
    """Writes the runs of a table of scores (points); returns their ids.

    No examples are known, so tests and intervals of such runs are over seeds only. Raises DataError naming file, row
    and value.
    """
    check_study(study, data_status)
    table = read_table(path, SCORES)
    table["metric"] = table["metric"].fillna(table["target"].map(lambda name: get_task(name).metrics[0]))
    refuse_duplicates(table, [*RUN_KEYS, "eval_language", "metric"], path)
    if len(table) and (table["score"] <= 1).all():
        raise DataError(f"{path}: column score: every value is at most 1; allowed: points, 0 to 100")
    for row, entry in enumerate(table.itertuples()):
        allowed = get_task(entry.target).metrics
        if entry.metric not in allowed:
            raise DataError(f"{path}: column metric, row {row}: {entry.metric!r}; allowed: {', '.join(allowed)}")
    table["split"] = table["split"].fillna(table["target"].map(lambda name: get_task(name).evaluation.split))
    return [
        write_imported(study, key, rows.drop(columns=RUN_KEYS).assign(data_status=data_status), pd.DataFrame())
        for key, rows in table.groupby(RUN_KEYS, sort=False)
    ]


def import_predictions(path: Path, study: str, root: str, data_status: str = IMPORTED) -> list[str]:
    """Writes the runs of a table of predictions, scored against a root's gold; returns their ids.

    Each language must hold every id of the evaluation data once. Raises DataError naming file, row and value.
    """
    check_study(study, data_status)
    table, scored = read_table(path, PREDICTIONS), []
    for key, rows in table.groupby(RUN_KEYS, sort=False):
        task = get_task(key[2])
        data = read_gold(task, root, dict.fromkeys(rows["eval_language"]))
        frames = []
        for code, part in rows.groupby("eval_language", sort=False):
            examples, where = data[code].examples, f"{path}, {', '.join(map(str, key))}, {code}"
            match_ids(list(part["id"]), [example.id for example in examples], where)
            given = part.set_index("id")["prediction"].fillna("")
            parse = PARSE.get(task.format, lambda task, value, example, where: value)
            predictions = [parse(task, given[e.id], e, f"{where}, id {e.id!r}") for e in examples]
            check_found(task, predictions, data[code], where)
            frames.append(score_frame(task, predictions, examples))
        spoken = rows["intermediate_language"].iloc[0]
        if rows["intermediate_language"].nunique(dropna=False) > 1:
            raise DataError(f"{path}, {', '.join(map(str, key))}: several intermediate_language; allowed: one per run")
        scored.append((key, pd.concat(frames), data, spoken))
    return [write_scored(study, root, data_status, *run) for run in scored]


def import_folder(
    place: Path, study: str, root: str, encoder: str, intermediate: str, seed: int, data_status: str = IMPORTED
) -> list[str]:
    """Writes the runs of XTREME's prediction files, one per task folder, scored against a root's gold; returns their
    ids. Raises DataError naming file, line and value, for a folder that is no target, and where there is none."""
    check_study(study, data_status)
    targets = [name for name, task in TASKS.items() if "target" in task.roles]
    scored = []
    for part in sorted(path for path in place.iterdir() if path.is_dir()):
        task = get_task(require_known(f"task in {place}", part.name, targets))
        form = form_of(task)
        files = {path.name.removeprefix("test-").partition(".")[0]: path for path in part.glob(f"test-*.{form.suffix}")}
        if not files:
            raise DataError(f"{part}: no file; allowed: test-<language>.{form.suffix}")
        data = read_gold(task, root, files)
        frames = [
            score_frame(task, form.read(task, read_text(path), data[code].examples, str(path)), data[code].examples)
            for code, path in sorted(files.items())
        ]  # fmt: skip
        key = (encoder, intermediate, task.name, seed)
        scored.append((key, pd.concat(frames), data, None))
    if not scored:
        raise DataError(f"{place}: no folder of a task; allowed: {', '.join(targets)}")
    return [write_scored(study, root, data_status, *run) for run in scored]


def read_text(path: Path) -> str:
    """The text of a file. DataError naming it where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no text in UTF-8 ({error})") from error


def check_study(study: str, data_status: str) -> None:
    """ValueError for a study that `xt run` makes, a name that is no folder's, or a status that there is not."""
    if study in STUDIES or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", study):
        raise ValueError(
            f"study {study!r} cannot be imported into; allowed: a name of small letters, digits, - and _ other than "
            f"{', '.join(STUDIES)}"
        )
    require_known("data status", data_status, (*STATUSES, IMPORTED))


def read_table(path: Path, columns: Mapping[str, Column]) -> pd.DataFrame:
    """A checked table with all of these columns; DataError too where there are no rows, or an arm is misspelled."""
    table = read_cells(path)
    for name, rule in columns.items():
        if name not in table and (not rule.required or not len(table)):
            table[name] = None
    table = check_table(table, columns, path)
    if table.empty:
        raise DataError(f"{path}: no rows; allowed: one row per score, or per prediction")
    for arm in table["intermediate"].unique():
        find_arm(arm)
    return table


def check_found(task, predictions: list, data, where: str) -> None:
    """DataError for an id that was found but is none of those to be found."""
    if task.format not in FINDABLE:
        return
    there = FINDABLE[task.format](data)
    for example, found in zip(data.examples, predictions, strict=True):
        for name in [found] if isinstance(found, str) else found:
            if name and name not in there:
                raise DataError(f"{where}, id {example.id!r}: found {name!r}, which is no id of what is searched")


FINDABLE = {
    "retrieval": lambda data: {example.id for example in data.examples},
    "ranking": lambda data: {candidate.id for candidate in data.pool},
    "mining": lambda data: {candidate.id for candidate in data.pool},
}
"""Format -> the ids that may be found."""


def read_gold(task, root: str, languages: Iterable[str]) -> dict:
    """Language -> evaluation data of a root, whole. Raises for a language that the task has not."""
    from xt.evaluate import join_pools

    known = all_languages_of(task, root)
    data = {code: read_evaluation(task.name, root, require_known(f"language of {task.name}", code, known))
            for code in languages}  # fmt: skip
    return join_pools(task, data) if task.format == "ranking" else data


PARSE = {
    "classification": parse_label,
    "multiple_choice": parse_choice,
    "tagging": parse_tags,
    "ranking": lambda task, value, example, where: value.split(),
}
"""Format -> how a cell of a table becomes a prediction, where it is not the text itself."""


def score_frame(task, predictions: list, examples: list) -> pd.DataFrame:
    """Per-example statistics of predictions, as runs made here have them."""
    from xt.evaluate import frame_of

    if task.format != "retrieval":
        return frame_of(task, predictions, examples)
    rows = [dict(eval_language=e.language, id=e.id, cluster=e.cluster) for e in examples]
    correct = [found == example.id for found, example in zip(predictions, examples, strict=True)]
    return pd.DataFrame(rows).assign(**{"accuracy.correct": correct, "accuracy.count": 1})


def write_scored(study: str, root: str, data_status: str, key: tuple, frame: pd.DataFrame, data: dict, spoken) -> str:
    """Writes a run from its per-example statistics, with floors, and returns its id. `spoken`: the language of the
    intermediate training; None where its name tells."""
    from xt.parameters import score_configs
    from xt.scoring import score_rows

    task, frame = get_task(key[2]), frame.reset_index(drop=True)
    [like] = score_configs(
        [task.name], encoder="tiny", intermediate="none", root=root, preset="xtreme", seed=int(key[3]),
        languages=list(data),
    )  # fmt: skip
    rows = score_rows(like, frame, known_floors(task, data, root))
    status = {code: data_status if data_status == IMPORTED else worst_status(data_status, read.status)
              for code, read in data.items()}  # fmt: skip
    rows = rows.assign(
        split=[data[code].split for code in rows["eval_language"]], train_language=like.train_language,
        intermediate_language=spoken, data_status=[status[code] for code in rows["eval_language"]],
    )  # fmt: skip
    return write_imported(study, key, rows, frame[[name for name in frame if "." in name or name in KEPT]])


def known_floors(task, data: dict, root: str) -> dict[str, tuple[dict[str, float], str]]:
    """Language -> (metric -> points, kind) as of runs made here; missing where a floor is made from training data that
    the root has not."""
    from xt.floors import floors_of

    try:
        return floors_of(
            task, data, lambda: read_training(task.name, root, num_selection=0).train, np.random.default_rng(0)
        )
    except DataError:
        return {code: (dict.fromkeys(task.metrics, np.nan), "not known: no training data") for code in data}


KEPT = ("eval_language", "id", "cluster")


def write_imported(study: str, key: tuple, rows: pd.DataFrame, stats: pd.DataFrame) -> str:
    """Writes one run into a study's results and returns its id; importing it again replaces it."""
    run = dict(zip(RUN_KEYS, key, strict=True)) | {"seed": int(key[3])}
    encoder, arm, target, seed = run.values()
    slug = re.sub(r"[^a-z0-9_]+", "_", arm.lower())
    run_id = f"{target}-{slug}-s{seed}-{short_hash(run)}"
    row = find_arm(arm)
    trains_nothing = arm == "none" or (row is not None and not row.tasks and not row.of_target)
    home = rows.get("train_language", pd.Series(index=rows.index, dtype=object)).fillna("en")
    given = rows.get("intermediate_language", pd.Series(index=rows.index, dtype=object))
    spelled = "+".join(row.languages) if row is not None and arm.partition(".")[2] else None
    if row is not None and row.languages == TRANSLATED and given.isna().any():
        raise DataError(
            f"run {', '.join(map(str, key))}: intermediate_language is missing; allowed: codes such as de+fr"
        )
    outcome = rows.get("outcome", pd.Series(index=rows.index, dtype=object)).fillna("ok")
    rows = rows.assign(
        **run, run_id=run_id, study=study, train_language=home, outcome=outcome, preset=IMPORTED,
        intermediate_language=None if trains_nothing else given.fillna(spelled or home), code_version=code_version(),
    )  # fmt: skip
    index_row = run | dict(
        phase="target" if get_task(target).training_task else "retrieval", status="done", outcome=outcome.iloc[0],
        data_status=rows["data_status"].iloc[0], code_version=code_version(), device=IMPORTED, precision=IMPORTED,
        num_threads=0, libraries=IMPORTED, model_id=None, parent_id=None, seconds=None, num_train_examples=None,
        num_truncated=None, selection_score=None,
    )  # fmt: skip
    write_run(folder("XT_RESULTS") / study, run_id, rows.reindex(columns=SCORE_COLUMNS), index_row, stats)
    return run_id
