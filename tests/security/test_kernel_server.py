"""Nobody but the user reaches the server of warm kernels, whatever stands at its address already."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from xt.kernels import client, server
from xt.kernels.client import fork_warm, private_folder

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="warm kernels are for Linux")
two_users = pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")
NOBODY = 65534


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / f"xt-kernels-{os.getuid()}"


def open_to_others(place):
    place.mkdir(mode=0o700)
    place.chmod(0o711)


def a_link_to_a_private_folder(place):
    (place.parent / "private").mkdir(mode=0o700)
    place.symlink_to(place.parent / "private")


def of_another_user(place):
    place.mkdir(mode=0o700)
    os.chown(place, NOBODY, NOBODY)


@pytest.mark.parametrize(
    "plant",
    [open_to_others, a_link_to_a_private_folder, lambda place: place.symlink_to("nowhere"), lambda place: place.touch(),
     pytest.param(of_another_user, marks=two_users)],
)  # fmt: skip
def test_a_folder_that_is_not_the_users_own_alone_is_not_used(plant, runtime):
    plant(runtime)
    with pytest.raises(OSError, match="not a folder of this user alone|File exists"):
        private_folder()
    with pytest.raises(OSError):
        fork_warm([sys.executable, "-m", "this"], os.environ)
    assert not list((runtime.parent / "private").glob("*"))


def test_a_fresh_folder_is_private_whatever_the_mask(runtime):
    before = os.umask(0)
    try:
        assert stat.S_IMODE(private_folder().stat().st_mode) == 0o700
    finally:
        os.umask(before)


SERVER = """
import socket, sys
from xt.kernels.server import serve
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("listens", flush=True)
    connection = serve(listener, sys.argv[1], 3)
    print("serves" if connection else "ends", flush=True)
"""


def connect_as(user, address):
    """What a process of a user is told by a server: `refused`, `closed` or what it said."""
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.settimeout(10)
                connection.connect(str(address))
                said = connection.recv(10) or b"closed"
        except PermissionError:
            said = b"refused"
        except OSError as error:
            said = type(error).__name__.encode()
        os.write(ends[1], said)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(ends[1])
    with open(ends[0], "rb") as told:
        return told.read().decode()


@linux
@two_users
def test_another_user_cannot_connect_and_is_sent_away_where_the_folder_stands_open():
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o711)
        place = Path(top) / "private"
        place.mkdir(mode=0o700)
        command = [sys.executable, "-c", SERVER, str(place / "address")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout.readline() == "listens\n"
            assert connect_as(NOBODY, place / "address") == "refused"
            place.chmod(0o711)
            (place / "address").chmod(0o777)
            assert connect_as(NOBODY, place / "address") in ("closed", "ConnectionResetError")
            assert server.stdout.read() == "ends\n", "a stranger was served"


@linux
def test_what_a_client_asks_for_is_written_to_no_disk(runtime, monkeypatch, tmp_path):
    """Its variables may hold a token."""
    secret = "hf_of_this_test"
    seen = []

    def look(connection, messages, files):
        seen.append(os.readlink(f"/proc/self/fd/{files[0]}"))
        seen.append(os.pread(files[0], 10**6, 0).decode())
        raise OSError("seen enough")

    monkeypatch.setattr(client, "connect", lambda *_: None)
    monkeypatch.setattr(socket, "send_fds", look)
    with pytest.raises(OSError, match="seen enough"):
        fork_warm([sys.executable, "-m", "this"], {**os.environ, "XT_SECRET": secret})
    assert seen[0].startswith("/memfd:") and secret in seen[1]


def test_a_server_that_ends_leaves_the_address_to_its_successor(tmp_path, monkeypatch):
    """One that a client starts between the moment when the address goes and the end of the old one."""
    address, successors = tmp_path / "address", []

    def look(listeners, *_):
        if not address.exists():
            successors.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            successors[0].bind(str(address))
        return [], [], []

    monkeypatch.setattr(server.signal, "signal", lambda *_: None)
    monkeypatch.setattr(server.select, "select", look)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(address))
        assert server.serve(listener, str(address), 1.0) is None
    with successors[0]:
        assert address.exists()
