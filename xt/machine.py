"""What a run was computed on: code version, libraries, device, precision. Recorded beside results, never hashed."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from xt.locations import PROJECT

LIBRARIES = (
    "torch transformers tokenizers datasets accelerate numpy pandas pyarrow scipy statsmodels papermill nbclient "
    "ipykernel jupyterlab nbval seaborn matplotlib"
).split()


@cache
def code_version() -> str:
    """Version of the package and, in a git checkout, its commit: `0.1.0+g1a2b3c4`, `.dirty` where xt/ has changes."""
    base = installed_version("xt") or "0"
    commit = ask("git", "rev-parse", "--short=7", "HEAD")
    dirty = ".dirty" if commit and ask("git", "status", "--porcelain", "--", "xt", "notebooks/experiments") else ""
    return f"{base}+g{commit}{dirty}" if commit else base


def ask(*command: str) -> str:
    """Output of a command in the project, empty where it fails or is not there."""
    try:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def installed_version(library: str) -> str:
    """The version of an installed library, empty where it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def library_versions() -> dict[str, str]:
    """Library -> installed version, for those that results depend on; missing ones are empty."""
    return {library: installed_version(library) for library in LIBRARIES}


def processor_name() -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    return f"{cpu_info('model name') or platform.machine()}, {os.cpu_count()} cores"


def find_device() -> str:
    """The name that runs made here would carry (`device_name`), found without torch: asks the GPU's driver."""
    names = ask("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()
    return names[0] if names else processor_name()


def device_name() -> str:
    """The GPU this process sees, else the processor. Imports torch."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else processor_name()


def has_native_bf16() -> bool:
    """Whether the device of this process computes bfloat16 products itself (else they are emulated, and slow)."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.ops.mkldnn._is_mkldnn_bf16_supported() and "bf16" in cpu_info("flags")


def cpu_info(field: str) -> str:
    """What the system tells of the processor (`model name`, `flags`), empty where it does not."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")
