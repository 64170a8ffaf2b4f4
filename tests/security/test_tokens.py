"""A token goes to the hub and nowhere else: no log, no message, no file of a run or notebook holds it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SECRETS = {"HF_TOKEN": "hf_OfThisTestAlone0123456789", "HUGGING_FACE_HUB_TOKEN": "hf_AnotherOfThisTest98765"}
PROGRAM = """
import logging, os, sys, traceback
from pathlib import Path
from unittest.mock import Mock
import nbformat
from xt import engine
engine.fork_warm, engine.kernel_name = Mock(side_effect=OSError("ordinary processes")), lambda: "python3"
place = Path(os.environ["HOME"]) / "executed"
place.mkdir()
cells = ("from xt.tasks import read_evaluation", "read_evaluation('xnli', 'hub', language)")
named = dict(kernelspec=dict(name="python3", display_name="", language="python"))
written = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)], metadata=named)
nbformat.write(written, place / "in.ipynb")
execution = engine.Execution(place / "in.ipynb", dict(language="de"), (), (), place / "out.ipynb")
executed = engine.start(execution)  # meanwhile:
logging.basicConfig(level=logging.DEBUG)
from xt.cli import app
from xt.parameters import target_configs
from xt.transfer import run_block
shared = dict(target="xnli", intermediate="none", preset="smoke", seed=1, languages="en")
print(run_block(target_configs(encoder="tiny", root="fixtures", **shared)))
for encoder, root in (("owner/gated", "fixtures"), ("tiny", "hub")):
    try:
        run_block(target_configs(encoder=encoder, root=root, **shared))
    except Exception:
        traceback.print_exc()
    else:
        sys.exit("nothing was refused")
try:
    app(["doctor"])
except SystemExit:
    print("examined")
if not executed.wait():
    sys.exit("the notebook was not refused")
print(execution.output.with_suffix(".log").read_text())
"""


@contextmanager
def gated_hub(status):
    """A hub that answers everything with a status; yields its address and the headers it was sent."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            heard.append(dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("X-Error-Code", "GatedRepo")
            self.end_headers()

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """(what a process said that scored a run, was refused by a hub twice, executed a notebook that was, and examined
    itself; what the hub heard; the folder of all that was written)."""
    place = tmp_path_factory.mktemp("told")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    with gated_hub(403) as (url, heard):
        mine = {"HF_ENDPOINT": url, "HF_HOME": str(place / "hub"), "HF_HUB_OFFLINE": "0", "HOME": str(place)}
        folders = {f"XT_{name}": str(place / name.lower()) for name in ("RUNS", "RESULTS", "CACHE", "FIGURES")}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=clean | SECRETS | mine | folders, cwd=place,
                              capture_output=True, text=True, timeout=400)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, heard, place


def test_the_token_went_to_the_hub(told):
    """Otherwise the other tests say nothing."""
    _, heard, _ = told
    assert any(
        SECRETS["HF_TOKEN"] in headers.get("authorization", headers.get("Authorization", "")) for headers in heard
    )


def test_no_message_log_or_traceback_holds_it(told):
    said, _, _ = told
    assert said.count("Traceback") >= 2 and "examined" in said and "403" in said
    assert not [name for name, secret in SECRETS.items() if secret in said]


def test_no_file_of_a_run_or_cache_holds_it(told):
    place = told[2]
    files = [path for path in Path(place).rglob("*") if path.is_file()]
    assert any(path.name == "config.json" and "runs" in path.parts for path in files) and len(files) > 5
    executed = (place / "executed" / "out.ipynb").read_text()
    assert "Traceback" in executed and "hub dataset" in executed and "403" in executed
    assert not [path for path in files for secret in SECRETS.values() if secret.encode() in path.read_bytes()]
