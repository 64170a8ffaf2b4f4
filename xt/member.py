"""One of the processes that make a training together: `python -m xt.member RUN_ID`, which `xt.processes` starts.

What is trained stands in the run's folder, whose lock the process that asked for the training holds. That process may
die on one machine while these go on upon others for a while; so the one that writes holds a lock of its own.
"""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import torch

from xt import processes, store
from xt.config import read_trained
from xt.locks import open_lock
from xt.transfer import fit, ignore


def main(run_id: str) -> None:
    """Takes part in the training of a run, once nobody is left who writes for an earlier starter of it.

    Raises ValueError where its configuration is not that of its id.
    """
    processes.join()
    folder = store.run_folder(run_id)
    with open_lock(folder.parent / ".locks" / f"{run_id}.writer.lock") if processes.is_first() else nullcontext():
        take_part(run_id, folder)
    torch.distributed.destroy_process_group()


def take_part(run_id: str, folder: Path) -> None:
    """Trains, as one of several."""
    config = read_trained(json.loads((folder / "config.json").read_text())["config"])
    if config.model_id != run_id:
        raise ValueError(f"{folder / 'config.json'} is that of {config.model_id}; its data or the code have changed")
    fit(config, folder, ignore)


if __name__ == "__main__":
    main(sys.argv[1])
