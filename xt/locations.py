"""Where things lie on disk: the project, its runs and results, data roots and encoders.

Environment variables move them: those of `FOLDERS` name folders.
"""

import os
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

FOLDERS = {
    "XT_RUNS": PROJECT / "data" / "runs",
    "XT_RESULTS": PROJECT / "data" / "results",
    "XT_FIGURES": PROJECT / "figures",
    "XT_CACHE": PROJECT / "data" / "cache",
    "XT_FIXTURES": PROJECT / "data" / "fixtures",
    "XT_MIRROR": PROJECT.parent / "shared" / "mirror",
    "XT_ENCODERS": PROJECT.parent / "shared" / "encoders",
    "XT_CCGBANK": PROJECT.parent / "shared" / "ccgbank",
}

ROOTS = {"fixtures": "XT_FIXTURES", "mirror": "XT_MIRROR"}
"""Root name -> the variable that says where its folder lies; `hub`, `lab` and any folder are roots as well."""

LAB_ROOT = re.compile(r"lab(?:-([0-9]+))?")
"""A lab root and the seed of its world: `lab-7`; `lab` is world 0."""

PLAIN_NAME = re.compile(r"\w[\w.+-]*")
"""What studies and runs may be called."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def folder(variable: str) -> Path:
    """The folder an environment variable of this module names, or its default inside the project."""
    return Path(os.environ.get(variable) or FOLDERS[variable])


def inside(place: Path, name: str) -> Path:
    """`place / name`.  ValueError for a name that could lead elsewhere: one of several parts, `..`, a hidden one."""
    if not PLAIN_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file or folder in {place}; allowed: {PLAIN_NAME.pattern}")
    return place / name


def resolve_root(root: str) -> str:
    """`hub`, `lab-<world seed>`, or the folder (as text) that a root's name or path stands for.

    Raises ValueError naming the folder looked for and the roots allowed where it does not exist.
    """
    if root == "hub":
        return root
    if lab := LAB_ROOT.fullmatch(root):
        return f"lab-{int(lab[1] or 0)}"
    place = folder(ROOTS[root]) if root in ROOTS else Path(root).expanduser()
    if not place.is_dir():
        hint = f"; set {ROOTS[root]} to the folder that holds it" if root in ROOTS else ""
        raise ValueError(
            f"unknown root {root!r}: no folder {place}{hint}; allowed: hub, lab, lab-<world seed>, "
            f"{', '.join(ROOTS)}, or a folder"
        )
    return str(place)


def resolve_encoder(encoder: str) -> str:
    """The folder or hub id that an encoder's name stands for.

    A name is looked up under `XT_ENCODERS`, then as a folder, then taken as a hub id (`owner/name` or `name`).
    Raises ValueError for a folder without `config.json` and for a text that can be none of the three.
    """
    for place in (folder("XT_ENCODERS") / encoder, Path(encoder).expanduser()):
        if (place / "config.json").is_file():
            return str(place)
        if place.is_dir():
            raise ValueError(f"encoder {encoder!r}: the folder {place} holds no config.json")
    if encoder in BUILT_HERE or HUB_ID.fullmatch(encoder):
        return encoder
    raise ValueError(
        f"unknown encoder {encoder!r}; allowed: {', '.join(BUILT_HERE)}, a folder under {folder('XT_ENCODERS')}, "
        "a folder with config.json, or a hub id such as FacebookAI/xlm-roberta-large"
    )


BUILT_HERE = {
    "tiny": (
        "Rowan/hellaswag/default", "google/xtreme/PAN-X.*", "google/xtreme/XNLI", "google/xtreme/XQuAD.*",
        "google/xtreme/tatoeba.*", "google/xtreme/tydiqa", "google/xtreme/udpos.*", "nyu-mll/glue/mnli",
        "rajpurkar/squad/plain_text",
    ),
}  # fmt: skip
"""Encoders that `xt.pretrain` builds on first use with random weights -> the fixtures that their vocabulary is counted
on: a list, so that a further fixture makes no other encoder of them."""


def vocabulary_files(encoder: str) -> list[Path]:
    """The files of the fixtures that the vocabulary of an encoder of BUILT_HERE is counted on, in order."""
    root = folder("XT_FIXTURES")
    return sorted(file for pattern in BUILT_HERE[encoder] for file in root.glob(f"{pattern}/*.parquet"))
