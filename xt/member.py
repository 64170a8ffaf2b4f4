"""One of the processes that make a training together: `python -m xt.member RUN_ID`, which `xt.processes` starts.

What is trained stands in the run's folder, whose lock the process that asked for the training holds.
"""

import json
import sys

import torch

from xt import processes, store
from xt.config import read_trained
from xt.transfer import fit, ignore


def main(run_id: str) -> None:
    """Takes part in the training of a run. Raises ValueError where its configuration is not that of its id."""
    processes.join()
    folder = store.run_folder(run_id)
    config = read_trained(json.loads((folder / "config.json").read_text())["config"])
    if config.model_id != run_id:
        raise ValueError(f"{folder / 'config.json'} is that of {config.model_id}; its data or the code have changed")
    fit(config, folder, ignore)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
