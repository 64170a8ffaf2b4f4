"""What this machine offers to `xt` and what is missing, each line checked by doing it."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

from xt.errors import DataError
from xt.locations import FOLDERS, ROOTS, folder, resolve_root
from xt.machine import device_name, has_native_bf16, library_versions


@dataclass(frozen=True)
class Finding:
    """One line of the examination."""

    what: str
    found: str
    fine: bool = True


def examine() -> Iterator[Finding]:
    """Findings one by one, the quick ones first. Imports torch, and runs one-cell notebooks through papermill."""
    yield Finding("python", sys.version.split()[0], sys.version_info >= (3, 11))
    for library, version in library_versions().items():
        yield Finding(library, version or "not installed", bool(version))
    yield Finding("device", device_name())
    yield examine_precision()
    for variable in FOLDERS:
        yield Finding(variable, f"{folder(variable)}{'' if folder(variable).is_dir() else ' (not there)'}")
    for root in ROOTS:
        yield attempt(f"root {root}", lambda root=root: resolve_root(root))
    mini = folder("XT_ENCODERS") / "mini"
    there = (mini / "config.json").is_file()
    yield Finding("encoder mini", f"{mini}" if there else f"no encoder in {mini}; the study real needs it", there)
    yield examine_notebook("notebook", "python3")
    yield examine_notebook("warm notebook", "xt-warm")


def examine_precision() -> Finding:
    """Whether bf16 is computed by the device itself; fp32 is the advice where it is not."""
    native = has_native_bf16()
    return Finding("precision", "bf16 is native" if native else "bf16 is emulated and slow: use precision fp32", native)


def attempt(what: str, action: Callable[[], str]) -> Finding:
    """What an action returns, or the message with which it refuses."""
    try:
        return Finding(what, action())
    except (ValueError, DataError) as error:
        return Finding(what, str(error), fine=False)


def examine_notebook(what: str, kernel: str) -> Finding:
    """A one-cell notebook run by papermill: whose interpreter its kernel is, whether forked, and how long it takes."""
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    cell = nbformat.v4.new_code_cell("import sys; print(sys.executable, 'torch' in sys.modules, sep='\\n')")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "doctor.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), source)
        try:
            done = papermill.execute_notebook(str(source), None, kernel_name=kernel, progress_bar=False)
        except (NoSuchKernel, DeadKernelError, papermill.PapermillExecutionError) as error:
            return Finding(what, f"no kernel {kernel} that works: {error}", fine=False)
    interpreter, forked = done.cells[-1].outputs[0].text.split("\n")[:2]
    ours = Path(interpreter).resolve().parent == Path(sys.executable).resolve().parent
    state = ", its libraries loaded already" if forked == "True" else ""
    return Finding(what, f"{time.monotonic() - started:.1f} s on {interpreter}{state}", ours)
