"""`make lab` listens on this machine alone and lets nobody in without its token."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from xt.locations import PROJECT

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or not sys.platform.startswith("linux"), reason="needs make and Linux"
)
PATIENCE = 90.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """What a server started as `make lab` does says of itself: `url`, `token`, `pid`."""
    home = tmp_path_factory.mktemp("home")
    asked = ["make", "--dry-run", "--silent", "--assume-old=.venv/.installed", "lab"]
    said = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip().splitlines()
    command = [str(Path(sys.executable).parent / "jupyter"), *shlex.split(said[-1])[1:]]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "XDG", "JPY"))}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--no-browser", "--allow-root", "--ServerApp.port=0", f"--ServerApp.root_dir={home}"],
            env=inherited | {"HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime")},
            cwd=home, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while not (found := list(home.glob("runtime/jpserver-*.json"))) and time.monotonic() < deadline:
            assert server.poll() is None, (home / "log").read_text()
            time.sleep(0.1)
        assert found, (home / "log").read_text()
        time.sleep(0.2)
        yield json.loads(found[0].read_text()) | {"command": said[-1]}
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def ask(lab, path="api/contents", **headers):
    """The status of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(lab["url"] + path, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_only_the_token_opens_it(lab):
    assert re.search(r"\bjupyter lab\b", lab["command"]) and len(lab["token"]) >= 32
    assert ask(lab) == 403 == ask(lab, Authorization="token " + "0" * 48) == ask(lab, "api/kernels")
    assert ask(lab, Authorization=f"token {lab['token']}") == 200


def test_a_page_of_another_name_is_refused_even_with_the_token(lab):
    assert ask(lab, Authorization=f"token {lab['token']}", Host="example.org") == 403


def test_it_listens_on_the_loopback_alone(lab):
    held = [os.readlink(entry) for entry in Path(f"/proc/{lab['pid']}/fd").iterdir()]
    inodes = {name.removeprefix("socket:[").rstrip("]") for name in held if name.startswith("socket:")}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]
    assert listening and {address.split(":")[0] for address in listening} <= {"0100007F", "0" * 24 + "01000000"}
