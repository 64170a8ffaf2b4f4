"""The command line: `xt plan | run | status | report | claims | gallery | import | submission | reproduce | doctor`."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
StudyName = Annotated[str, typer.Argument(help="a study of xt/studies.py")]


@app.command()
def plan(
    study: StudyName,
    runs: Annotated[bool, typer.Option("--runs", help="list every run and its state instead")] = False,
    device: Annotated[str, typer.Option(help="whose hours, as spelled in runs.csv; without it, this machine's")] = "",
    tokens_per_second: Annotated[
        float, typer.Option(min=0, help="training speed of the first encoder on the device, where none is measured")
    ] = 0,
) -> None:
    """Print what a study takes (runs, hours, disk) and the smallest gain that its seeds can show."""
    from xt.forecast import forecast
    from xt.grid import distinct_runs
    from xt.grid import plan as plan_study
    from xt.machine import find_device

    chosen = known_study(study)
    blocks = refused(plan_study, chosen)
    typer.echo(f"{chosen.name}: {chosen.question}\n")
    if runs:
        print_frame([(run.run_id, run.phase, run.state) for run in distinct_runs(blocks)], ("run", "phase", "state"))
    else:
        print_forecast(refused(forecast, chosen, blocks, device or find_device(), tokens_per_second))
    states = [run.state for run in distinct_runs(blocks)]
    typer.echo(", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)))


@app.command()
def status(study: StudyName) -> None:
    """Print, per seed, how many runs of a study are there and how many are missing."""
    from xt.grid import distinct_runs
    from xt.grid import plan as plan_study

    blocks = refused(plan_study, known_study(study))
    for seed in dict.fromkeys(block.seed for block in blocks):
        states = [run.state for run in distinct_runs(block for block in blocks if block.seed == seed)]
        typer.echo(f"seed {seed}: " + ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)))


@app.command()
def run(
    study: StudyName,
    workers: Annotated[int, typer.Option(min=1, help="notebooks at a time, one thread each; a site has its own")] = 2,
    seed: Annotated[list[int] | None, typer.Option(help="only this seed; may be given again")] = None,
    engine: Annotated[str, typer.Option(help="local: this machine; parsl: the workers of a site file")] = "local",
    site: Annotated[Path | None, typer.Option(help="site file, as those in the folder sites")] = None,
    processes: Annotated[int, typer.Option(min=1, help="of one training, each with a GPU where there are GPUs")] = 1,
    shard: Annotated[bool, typer.Option("--shard", help="each of them keeps a part of the weights (FSDP2)")] = False,
) -> None:
    """Make the missing runs of a study, in dependency order; a second start goes on where the first was cut off."""
    from xt.analyses import analyse, answers
    from xt.cluster import SiteFailed, open_engine
    from xt.grid import StudyRunner, study_folder

    os.environ |= {"XT_PROCESSES": str(processes)} if processes > 1 else {}
    os.environ |= {"XT_SHARD": "1"} if shard else {}
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))  # so that what was started is ended too
    chosen = known_study(study)
    runner = refused(StudyRunner, chosen, typer.echo)
    had_work = refused(runner.has_work, seed or ())
    try:
        with refused(open_engine, engine, site, workers, typer.echo) as (at_once, begin):
            failures = runner.run(at_once, seed or (), begin)
    except SiteFailed as error:
        typer.secho(f"{error}\nstarted again, the study goes on where it was", fg="red", err=True)
        raise typer.Exit(2) from error
    figures = analyse(chosen, typer.echo) if had_work or not all(text for _, text in answers(chosen)) else None
    print_table(chosen.name)
    for notebook, answer in answers(chosen):
        typer.echo(f"\n{answer or 'no answer: the analysis stopped'}\nnotebook: {notebook}")
    typer.echo(f"results: {study_folder(chosen)}" + (f"; figures: {figures}" if figures else "; nothing was missing"))
    for failure in failures:
        typer.secho(
            f"\nFAILED {failure.run_id}\n{failure.last_lines}\nnotebook: {failure.notebook}", fg="red", err=True
        )
    raise typer.Exit(1 if failures else 0)


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="a folder of data/results")],
    encoder: Annotated[str, typer.Option(help="what the notebooks ask about; without it the study's first")] = "",
    output: Annotated[Path | None, typer.Option(help="file that is written; without it one beside the runs")] = None,
) -> None:
    """Run the analysis notebooks on a study's results and write one HTML file of them that needs no network."""
    from xt.report import write_report

    typer.echo(refused(write_report, study_with_scores(study), typer.echo, encoder, output))


@app.command()
def claims(study: Annotated[str, typer.Argument(help="a folder of data/results")]) -> None:
    """Judge the claims of data/claims.csv on a study's results; write claims.csv beside them, with all run ids."""
    from xt.claims import write_ledger
    from xt.prose import answer_claims

    path, ledger = refused(write_ledger, study_with_scores(study))
    typer.echo(f"{answer_claims(ledger, study)}\n{path}")


@app.command()
def gallery() -> None:
    """Write the table of the analysis notebooks into notebooks/README.md, out of the notebooks as executed last."""
    from xt.gallery import PAGE, write_gallery

    write_gallery()
    typer.echo(PAGE)


@app.command("import")
def import_(
    study: Annotated[str, typer.Argument(help="a name for these results, none of xt/studies.py")],
    source: Annotated[
        Path, typer.Argument(exists=True, help="a CSV of scores or predictions, or a folder of XTREME's")
    ],
    root: Annotated[str, typer.Option(help="whose gold predictions are scored against")] = "hub",
    encoder: Annotated[str, typer.Option(help="of a folder's predictions")] = "",
    intermediate: Annotated[str, typer.Option(help="arm of a folder's predictions; the baseline is none")] = "",
    seed: Annotated[int, typer.Option(min=0, help="of a folder's predictions")] = 0,
    data_status: Annotated[
        str, typer.Option(help="what was trained on, where you know: complete, subset, ...")
    ] = "imported",
) -> None:
    """Take scores or predictions made elsewhere as runs, so that the same tests, tables and figures serve them."""
    from xt.imports import import_source

    made_by = {"encoder": encoder, "intermediate": intermediate, "seed": seed}
    run_ids = refused(import_source, source, study, root, data_status, made_by)
    print_table(study)
    typer.echo(
        f"{len(run_ids)} runs imported; on them: papermill notebooks/analysis/1-transfer-gain.ipynb out.ipynb "
        f"-p study {study} -p encoder ENCODER"
    )


@app.command()
def submission(
    study: StudyName,
    to: Annotated[Path | None, typer.Option(help="folder that is written; without it one beside the runs")] = None,
) -> None:
    """Write XTREME's prediction files of a study's runs; exit code 1 where some were left out."""
    from xt.grid import plan as plan_study
    from xt.locations import folder
    from xt.submission import write_submission

    chosen = known_study(study)
    place = to or folder("XT_RUNS") / "submissions" / study
    made = write_submission(chosen, refused(plan_study, chosen), place)
    for run_id, why in made.left_out.items():
        typer.secho(f"left out {run_id}: {why}", fg="red", err=True)
    typer.echo(f"{len(made.folders)} folders in {place}, {len(made.left_out)} runs left out")
    raise typer.Exit(1 if made.left_out else 0)


@app.command()
def reproduce(
    study: StudyName,
    run: Annotated[str, typer.Option(help="id of a committed run; without it one is drawn")] = "",
) -> None:
    """Make one committed run again from nothing and compare its scores with the committed ones."""
    import numpy as np

    from xt.progress import watch
    from xt.reproduce import choose_run
    from xt.reproduce import reproduce as make_again

    chosen = known_study(study)
    config = refused(choose_run, chosen, run, np.random.default_rng())
    typer.echo(f"making {config.run_id} again")
    table = make_again(chosen, config, watch())
    typer.echo(table.to_string(index=False))
    worst = table["difference"].max()
    typer.echo(f"{len(table)} scores, largest difference {worst:.4f} points")
    raise typer.Exit(1 if worst else 0)


@app.command()
def doctor() -> None:
    """Print versions, device, precision, roots and what is missing, and run a one-cell notebook."""
    from xt.doctor import examine

    missing = 0
    for finding in examine():
        missing += not finding.fine
        typer.echo(f"{'ok     ' if finding.fine else 'MISSING'}  {finding.what:<14} {finding.found}")
    typer.echo("nothing is missing" if not missing else f"{missing} to look at; tests and studies say which they need")


def print_forecast(found) -> None:
    """Prints an `xt.forecast.Forecast`: phases, disk, the smallest gains, and what cannot run."""
    known = found.phases[["hours", "hours_left"]].map(say_hours)
    columns = ["phase", "runs", "missing", "hours", "hours_left", "not_measured", "source"]
    print_frame(found.phases.assign(**known)[columns].to_numpy(), columns)
    typer.echo(f"hours of {found.device}, one run at a time; hours_left: of the missing runs\n")
    sizes = [
        f"{what} {f'{size / 1e9:.3g} GB' if size == size else 'not measured'}" for what, size in found.disk.items()
    ]
    typer.echo(f"disk: {', '.join(sizes)}; up to eight fine-tuned models more per run under way: two checkpoints\n")
    gains = found.gains.assign(smallest_gain=found.gains["smallest_gain"].map("{:.1f}".format).replace("nan", "-"))
    print_frame(gains.to_numpy(), gains.columns)
    typer.echo("smallest_gain: points found with power 80 % at two-sided 5 %, one arm for itself, before Holm\n")
    for why in dict.fromkeys(found.lacking.values()):
        whats = [what for what, reason in found.lacking.items() if reason == why]
        typer.echo(f"cannot run: {', '.join(whats)}: {why}\n")


def say_hours(hours: float) -> str:
    """Hours with two decimals below ten and none above; `not measured` where they are not known."""
    return "not measured" if hours != hours else f"{hours:.2f}" if hours < 10 else f"{hours:,.0f}"


def print_frame(rows, columns) -> None:
    """Prints a table as wide as the terminal, or 120 characters."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=None if Console().is_terminal else 120).print(table)


def known_study(name: str):
    """The study of this name, or exit code 2 with what is allowed."""
    from xt.studies import get_study

    return refused(get_study, name)


def study_with_scores(name: str) -> str:
    """The name of a study that has scores or that `xt run` would give some, or exit code 2 with what is allowed."""
    from xt.errors import require_known
    from xt.locations import folder
    from xt.studies import STUDIES

    there = {path.parent.name for path in folder("XT_RESULTS").glob("*/runs.csv")}
    measured = {study.name: study for study in STUDIES.values() if not any(part.targets for part in study.parts)}
    if name in measured:
        typer.secho(
            f"study {name!r} measures costs and scores nothing: `xt run {name}` answers notebooks "
            f"{' and '.join(measured[name].analyses)}",
            fg="red",
            err=True,
        )
        raise typer.Exit(2)
    return refused(require_known, "study", name, sorted((STUDIES.keys() | there) - measured.keys()))


def refused(action, *arguments):
    """What an action returns; a ValueError becomes its message and exit code 2, without a traceback."""
    try:
        return action(*arguments)
    except ValueError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from error


def print_table(study: str) -> None:
    """Prints a study's mean scores, target by arm, in points."""
    from xt.errors import DataError
    from xt.reported import score_table
    from xt.results import load_scores

    try:
        typer.echo(score_table(load_scores(study)).round(1).to_string(index=False))
    except DataError as error:
        typer.echo(f"no table: {error}")
