"""A hub on the loopback: as much of the hub's HTTP API as its real clients ask for through `HF_ENDPOINT`.

Repositories are folders laid out as on the hub, one folder per commit; `main` is the last commit.

    with serve([Repository("datasets", "owner/name", {commit: folder})]) as hub:
        ...  # a client with HF_ENDPOINT=hub.url; what it asked for stands in hub.requests

Files go over plain HTTP: they carry no `X-Xet-Hash` header, so the clients do not try Xet and nothing of
theirs has to be switched off.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

RESOLVE = re.compile(r"/(?P<datasets>datasets/)?(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
API = re.compile(
    r"/api/(?P<kind>models|datasets)/(?P<id>[^/]+/[^/]+)"
    r"(/(?P<call>revision|tree|paths-info)/(?P<revision>[^/]+)(/(?P<path>.+))?)?"
)
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
LARGE = {".parquet", ".safetensors"}
"""Suffixes that the hub keeps outside git: their ETag is the content's SHA-256, in headers of their own."""


@dataclass(frozen=True)
class Repository:
    """One repository of the hub."""

    kind: str
    """`models` or `datasets`."""
    id: str
    """`owner/name`."""
    commits: Mapping[str, Path]
    """Commit (40 hexadecimal digits) -> folder with its files, oldest first; `main` is the last."""

    def find_commit(self, revision: str) -> str | None:
        """The commit a branch or commit name stands for; None where there is none."""
        revision = list(self.commits)[-1] if revision == "main" else revision
        return revision if revision in self.commits else None


class NotFound(Exception):
    """What is asked for is not here: answered by 404, with the hub's name of the error."""

    def __init__(self, code: str, headers: Mapping[str, str] | None = None):
        super().__init__(code)
        self.headers = {"X-Error-Code": code, **(headers or {})}


@dataclass
class Hub:
    """A running hub and what it was asked for."""

    url: str
    """Its address, for `HF_ENDPOINT`."""
    repositories: dict[tuple[str, str], Repository]
    """(kind, id) -> repository."""
    page: int = 1000
    """Entries per page of a file listing."""
    cut: int | None = None
    """Cut the connection after this many bytes of the next file sent, once."""
    broken: str | None = None
    """Part of a path: requests for it get no answer."""
    failing: int = 0
    """Answer so many requests with 503 first."""
    stalls: str | None = None
    """Part of a path: requests for it wait `stall_seconds` for their answer, `num_stalls` of them."""
    stall_seconds: float = 0.0
    num_stalls: int = 0
    spoilt: str | None = None
    """Part of a path: its content comes with one byte changed."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(method, path) of every request so far."""
    lock: Lock = field(default_factory=Lock)
    """Held while `requests` and `cut` change: requests come in parallel."""

    def downloads(self, suffix: str = "") -> list[str]:
        """Paths of the files sent so far, with repeats, that end in `suffix`."""
        sent = [path for method, path in self.requests if method == "GET" and "/resolve/" in path]
        return [path for path in sent if path.endswith(suffix)]

    def find(self, kind: str, id: str, revision: str) -> tuple[Repository, str, Path]:
        """A repository, the commit of a revision and its folder. Raises NotFound."""
        repository = self.repositories.get((kind, id))
        if repository is None:
            raise NotFound("RepoNotFound")
        commit = repository.find_commit(unquote(revision))
        if commit is None:
            raise NotFound("RevisionNotFound")
        return repository, commit, repository.commits[commit]


@cache
def digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def git_name(path: Path) -> str:
    """What git calls a file of these bytes."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def describe(path: Path, folder: Path) -> dict:
    """One entry of a file listing."""
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0}
    size = path.stat().st_size
    entry = {"type": "file", "path": name, "oid": git_name(path), "size": size}
    if path.suffix in LARGE:
        entry["lfs"] = {"oid": digest(path), "size": size, "pointerSize": 134}
    return entry


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None:
        """Quiet: requests are kept in `hub.requests`."""

    def answer(self) -> None:
        """Route one request."""
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with self.hub.lock:
            self.hub.requests.append((self.command, url.path))
        try:
            if self.hub.broken and self.hub.broken in url.path:
                self.close_connection = True
            elif self.is_failing():
                self.send(503, b"", {})
            elif match := API.fullmatch(url.path):
                self.answer_api(match, parse_qs(url.query), parse_qs(body))
            elif match := RESOLVE.fullmatch(url.path):
                self.answer_file(match)
            else:
                raise NotFound("NotFound")
        except NotFound as error:
            self.send(404, b"", error.headers)

    def is_failing(self) -> bool:
        """Whether this request gets no answer of use; waits where the hub is told to."""
        with self.hub.lock:
            fails, self.hub.failing = self.hub.failing > 0, max(0, self.hub.failing - 1)
            waits = bool(self.hub.stalls and self.hub.stalls in self.path and self.hub.num_stalls)
            self.hub.num_stalls -= waits
        time.sleep(self.hub.stall_seconds if waits else 0)
        return fails

    def answer_api(self, match: re.Match, query: dict, form: dict) -> None:
        """Repository information, a file listing (in pages), or information about named paths."""
        repository, commit, folder = self.hub.find(match["kind"], match["id"], match["revision"] or "main")
        if match["call"] == "paths-info":
            found = [describe(folder / path, folder) for path in form["paths"] if (folder / path).exists()]
            self.send_json(found)
        elif match["call"] == "tree":
            self.answer_tree(folder, unquote(match["path"] or ""), query)
        else:
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            siblings = [{"rfilename": path.relative_to(folder).as_posix()} for path in files]
            self.send_json({"id": repository.id, "sha": commit, "private": False, "siblings": siblings})

    def answer_tree(self, folder: Path, path: str, query: dict) -> None:
        """One page of a folder's entries; the address of the next one goes into the `Link` header."""
        if not (folder / path).is_dir():
            raise NotFound("EntryNotFound")
        recursive = query.get("recursive", [""])[0].lower() == "true"
        entries = sorted((folder / path).glob("**/*" if recursive else "*"))
        start = int(query.get("cursor", ["0"])[0])
        stop = start + self.hub.page
        headers = {}
        if stop < len(entries):
            following = urlencode({**{key: values[0] for key, values in query.items()}, "cursor": stop})
            headers["Link"] = f'<{self.hub.url}{urlsplit(self.path).path}?{following}>; rel="next"'
        self.send_json([describe(entry, folder) for entry in entries[start:stop]], headers)

    def answer_file(self, match: re.Match) -> None:
        """A file, or the part of it that a `Range` header asks for."""
        kind = "datasets" if match["datasets"] else "models"
        _, commit, folder = self.hub.find(kind, match["id"], match["revision"])
        path = folder / unquote(match["path"])
        if not path.is_file():
            raise NotFound("EntryNotFound", {"X-Repo-Commit": commit})
        content = path.read_bytes()
        if self.hub.spoilt and self.hub.spoilt in self.path:
            content = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{git_name(path)}"', "Accept-Ranges": "bytes"}
        if path.suffix in LARGE:
            headers |= {"X-Linked-ETag": f'"{digest(path)}"', "X-Linked-Size": str(len(content))}
        if part := RANGE.fullmatch(self.headers.get("Range", "")):
            start, stop = int(part[1]), min(int(part[2] or len(content)), len(content) - 1) + 1
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
            self.send(206, content[start:stop], headers)
        else:
            self.send(200, content, headers)

    def send_json(self, value: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a value as JSON."""
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Send a response; its body only where the method has one, and cut short where the hub is told to."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with self.hub.lock:
            cut, self.hub.cut = (self.hub.cut, None) if "/resolve/" in self.path else (None, self.hub.cut)
        self.wfile.write(content[:cut])
        self.close_connection |= cut is not None


@contextmanager
def serve(repositories: Iterable[Repository], page: int = 1000) -> Iterator[Hub]:
    """A hub with these repositories, on a free port of the loopback, until the block is left."""
    handler = type("BoundHandler", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    known = {(repository.kind, repository.id): repository for repository in repositories}
    handler.hub = hub = Hub(f"http://127.0.0.1:{server.server_port}", known, page)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
