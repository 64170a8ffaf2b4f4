"""Saving a model, and saving all that resuming a training exactly needs. Safetensors and JSON only, no pickle.

A folder is written in one step (`xt.disk`), and a checkpoint is sealed with the checksums of its files and of the log.
Random state is no part of a checkpoint: it is a function of (seed, step).
"""

import json
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from xt import processes
from xt.disk import find_damage, recover_folder, seal, write_folder


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
    tokens_per_batch: int = 0  # padded tokens of a forward pass, where memory held fewer than the knob says


def save_model(folder: Path, model, tokenizer) -> None:
    """Writes a folder that the usual transformers classes open: safetensors, config, tokenizer.

    How the tokenizer was last told to cut and to pad is no part of it.
    """
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()

    def fill(place: Path) -> None:
        model.save_pretrained(place, safe_serialization=True)
        tokenizer.save_pretrained(place)
        seal(place)

    write_folder(folder, fill)


def save_progress(folder: Path, model, optimizer, progress: Progress, best: dict[str, torch.Tensor] | None) -> None:
    """Writes what resuming exactly needs: weights, optimizer moments, best weights so far, and where it stands.

    Of several processes the first one writes; where each keeps a part, all of them have to call.
    """
    kept = {"weights": lambda: clone_weights(model), "optimizer": lambda: moments(model, optimizer)}
    kept |= {"best": lambda: best} if best is not None else {}

    def fill(place: Path) -> None:
        for name, tensors in kept.items():
            save_file(processes.gather(tensors()), place / f"{name}.safetensors")
        (place / "progress.json").write_text(json.dumps(asdict(progress)))
        seal(place, *folder.parent.glob("train.jsonl"))

    if processes.is_first():
        write_folder(folder, fill)
    elif processes.is_sharded():
        for tensors in kept.values():
            processes.gather(tensors())


def load_progress(folder: Path, model, optimizer) -> tuple[Progress, dict[str, torch.Tensor] | None]:
    """Restores what `save_progress` wrote, in place; (Progress(), None) where there is nothing to resume.

    Nor is there where a file is not as it was written: a warning names it, and the training begins anew.
    """
    recover_folder(folder)
    if not folder.is_dir():
        return Progress(), None
    if damaged := find_damage(folder):
        warnings.warn(f"{folder} is damaged in {', '.join(damaged)}: the training begins anew", stacklevel=2)
        return Progress(), None
    restore_weights(model, load_file(folder / "weights.safetensors"))
    restore_moments(model, optimizer, load_file(folder / "optimizer.safetensors"))
    best = folder / "best.safetensors"
    return Progress(**json.loads((folder / "progress.json").read_text())), load_file(best) if best.is_file() else None


def clone_weights(model) -> dict[str, torch.Tensor]:
    """A copy of all parameters that are trained, by name; one that several heads share stands once."""
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


def restore_weights(model, tensors: dict[str, torch.Tensor]) -> None:
    """Puts a copy of `clone_weights` back, in place. Raises KeyError where a parameter is not in it."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                processes.fill(parameter, tensors[name])


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
        like = torch.zeros_like(owner if value.ndim else value, device=owner.device)
        processes.fill(like, value)
        optimizer.state[owner][key] = like
