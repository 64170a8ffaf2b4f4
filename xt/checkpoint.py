"""Saving a model, and saving all that resuming a training exactly needs. Safetensors and JSON only, no pickle.

A folder is written beside its final name, synced, and renamed: a reader sees the old one or the new one, whole.
Random state is no part of a checkpoint: it is a function of (seed, step).
"""

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file


@dataclass
class Progress:
    """Where a training stands between two updates."""

    step: int = 0  # updates done
    read: list[int] = field(default_factory=list)  # features read of each part: where the sampler stands
    best_score: float = float("-inf")  # best selection score so far, in points
    best_step: int = -1  # the update after which it was reached; -1 = no look yet
    looks_since_best: int = 0  # looks at the selection data without a better score
    outcome: str = "ok"  # ok, diverged or collapsed
    finished: bool = False  # no update is left


def sync(path: Path) -> None:
    """Forces a file or a folder's entries to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Creates or replaces a folder in one step: `fill` writes it under a temporary name.

    Raises OSError naming the folder and what to do where the disk is full; the old folder is then untouched.
    """
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    recover_folder(target)
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        fill(fresh)
        for path in [*fresh.rglob("*"), fresh]:
            sync(path)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise OSError(
            getattr(error, "errno", None) or errno.EIO,
            f"{getattr(error, 'strerror', None) or error}; {target} was not written and its last good state is kept; "
            "free some disk and start the same run again",
        ) from error
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(target: Path) -> None:
    """Clears up after a kill inside `write_folder`: the old folder goes back, or goes, where the new one is there."""
    old = target.with_name(f".{target.name}.old")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.exists():
        old.rename(target)


def save_model(folder: Path, model, tokenizer) -> None:
    """Writes a folder that the usual transformers classes open: safetensors, config, tokenizer."""

    def fill(place: Path) -> None:
        model.save_pretrained(place, safe_serialization=True)
        tokenizer.save_pretrained(place)

    write_folder(folder, fill)


def save_progress(folder: Path, model, optimizer, progress: Progress, best: dict[str, torch.Tensor] | None) -> None:
    """Writes what resuming exactly needs: weights, optimizer moments, best weights so far, and where it stands."""

    def fill(place: Path) -> None:
        save_file(clone_weights(model), place / "weights.safetensors")
        save_file(moments(model, optimizer), place / "optimizer.safetensors")
        if best is not None:
            save_file(best, place / "best.safetensors")
        (place / "progress.json").write_text(json.dumps(asdict(progress)))

    write_folder(folder, fill)


def load_progress(folder: Path, model, optimizer) -> tuple[Progress, dict[str, torch.Tensor] | None]:
    """Restores what `save_progress` wrote, in place; (Progress(), None) where there is nothing to resume."""
    recover_folder(folder)
    if not (folder / "progress.json").is_file():
        return Progress(), None
    restore_weights(model, load_file(folder / "weights.safetensors"))
    restore_moments(model, optimizer, load_file(folder / "optimizer.safetensors"))
    best = folder / "best.safetensors"
    return Progress(**json.loads((folder / "progress.json").read_text())), load_file(best) if best.is_file() else None


def clone_weights(model) -> dict[str, torch.Tensor]:
    """A copy of all parameters by name; one that several heads share stands once."""
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def restore_weights(model, tensors: dict[str, torch.Tensor]) -> None:
    """Puts a copy of `clone_weights` back, in place. Raises KeyError where a parameter is not in it."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])


def moments(model, optimizer) -> dict[str, torch.Tensor]:
    """AdamW's state as flat tensors named `<parameter>/<moment>`."""
    return {
        f"{name}/{key}": value.detach().clone()
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore_moments(model, optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Puts flat tensors of `moments` back into the optimizer."""
    parameters = dict(model.named_parameters())
    for name, value in tensors.items():
        parameter, key = name.rsplit("/", 1)
        owner = parameters[parameter]
        optimizer.state[owner][key] = value.to(owner.device)
