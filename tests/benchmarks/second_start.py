"""From the first call to the first batch of a training, the data being known from an earlier run."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time

from tests.benchmarks import frame

TAKES = "first and second starts of trainings on MNLI and SQuAD in fresh processes, five each; three minutes"
MINI = dict(encoder="mini", root="mirror", preset="mini", max_train_examples=8000)
TINY = dict(encoder="tiny", root="fixtures", preset="smoke")
PROGRAM = "from tests.benchmarks.second_start import start; start({settings!r})"


def measure(tiny: bool = False):
    """Seconds of a second start, beside those of the first, by task; the parts stand in columns of their own."""
    from xt.locations import folder

    there = (folder("XT_MIRROR") / "MIRROR.json").is_file() and (folder("XT_ENCODERS") / "mini").is_dir()
    settings, rows = MINI if there and not tiny else TINY, []
    for task in ("mnli",) if tiny else ("mnli", "squad"):
        with tempfile.TemporaryDirectory() as place:
            if tiny:
                runs = [launch(settings | dict(intermediate=task), place) for _ in range(2)]
            else:
                runs = [launch(settings | dict(intermediate=task), place) for _ in range(6)]
        first, *later = runs
        median = {name: sorted(run[name] for run in later)[len(later) // 2] for name in first}
        what = f"second start, {task} on {settings['root']}, {settings['encoder']}, {int(first['features'])} features"
        note = "the first start, for comparison: nothing cached"
        arguments = dict(
            arguments="the same start with an empty cache", note=note, **{f"first_{k}": v for k, v in first.items()}
        )
        total, cold = median.pop("seconds"), first["seconds"]
        rows.append(
            frame.row(what, total, "seconds", "this < 2", baseline=cold, ratio=cold / total, **arguments, **median)
        )
    return frame.table(rows)


def launch(settings: dict, place: str) -> dict:
    """One start in a fresh process with its cache in a folder; what it measured."""
    command = [sys.executable, "-c", PROGRAM.format(settings=settings)]
    environment = os.environ | dict(XT_CACHE=place, XT_RUNS=f"{place}/runs", TOKENIZERS_PARALLELISM="false")
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def start(settings: dict) -> None:
    """Does what `fit` does until the first batch is on the device, and prints the seconds of its parts."""
    import numpy as np

    from xt import scoring, transfer
    from xt.batching import mixed_updates
    from xt.kernels.server import PRELOADED
    from xt.model import collate
    from xt.parameters import intermediate_config
    from xt.pretrain import build_if_ours

    for name in PRELOADED.split():
        importlib.import_module(name)
    build_if_ours(settings["encoder"])
    parts: dict[str, float] = {}

    def timed(module, name, label):
        inner = getattr(module, name)

        def outer(*given, **named):
            started = time.perf_counter()
            try:
                return inner(*given, **named)
            finally:
                parts[label] = parts.get(label, 0.0) + time.perf_counter() - started

        setattr(module, name, outer)

    timed(scoring, "read_training_data", "reading")
    timed(transfer, "build_model", "model")
    timed(transfer, "load_tokenizer", "tokenizer")
    timed(transfer, "encode_training", "features")
    started = time.perf_counter()
    config = intermediate_config(seed=1, **settings)
    assert config.model_id
    parts["identity"] = time.perf_counter() - started
    training = transfer.prepare_training(config, "cpu")
    [part] = training.parts
    lengths = [part.features.lengths]
    [(_, chosen)] = next(mixed_updates(lengths, [part.num_updates], config.knobs.batch_size, 1, 0, "updates"))
    collate(part.features, np.asarray(chosen), training.tokenizer.pad_token_id, "cpu")
    seconds = time.perf_counter() - started
    said = {f"{name}_seconds": value for name, value in parts.items()}
    print(json.dumps(dict(seconds=seconds, features=len(part.features)) | said))
