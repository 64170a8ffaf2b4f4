"""A page as a browser sees it: headless Chromium of the system's packages, asked over its debugging protocol."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tornado.websocket import websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
LOOK = """({
  title: document.title,
  headings: [...document.querySelectorAll('h1, h2')].map(node => node.textContent),
  broken: [...document.images].filter(image => !image.complete || !image.naturalWidth).map(image => image.alt),
  images: document.images.length,
  unnamed: [...document.images].filter(image => !image.alt).length,
  scripts: document.scripts.length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""


def find_chromium() -> str:
    """The browser's path; skips the test where there is none."""
    found = next((place for name in NAMES if (place := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    return found


def look_at(page: Path, profile: Path) -> dict:
    """What LOOK says of a page that was opened from a file, with `requests` for anything but itself and data, and
    `complaints`: errors, warnings and exceptions of the console."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    command = [find_chromium(), *options, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return asyncio.run(asyncio.wait_for(visit(page, profile, process), 120))
    finally:
        process.terminate()
        process.wait(20)


async def visit(page: Path, profile: Path, process: subprocess.Popen) -> dict:
    """Opens the page in a tab of its own and looks, once it has loaded."""
    port_file = profile / "DevToolsActivePort"
    while not (port_file.is_file() and len(port_file.read_text().splitlines()) == 2):
        assert process.poll() is None, f"the browser ended with {process.returncode} before it could be asked"
        await asyncio.sleep(0.1)
    port, path = port_file.read_text().splitlines()
    socket = await websocket_connect(f"ws://127.0.0.1:{port}{path}")
    events, number = [], 0

    async def ask(method: str, session: str | None = None, **parameters):
        nonlocal number
        number += 1
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        await socket.write_message(json.dumps(message))
        while True:
            reply = json.loads(await socket.read_message())
            if reply.get("id") == number:
                return reply["result"]
            events.append(reply)

    target = (await ask("Target.createTarget", url="about:blank"))["targetId"]
    session = (await ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
    for domain in ("Page", "Network", "Log", "Runtime"):
        await ask(f"{domain}.enable", session)
    await ask("Page.navigate", session, url=page.as_uri())
    while not any(event["method"] == "Page.loadEventFired" for event in events):
        events.append(json.loads(await socket.read_message()))
    seen = (await ask("Runtime.evaluate", session, expression=LOOK, returnByValue=True))["result"]["value"]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    spoken = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    complaints = [json.dumps(event["params"]) for event in events if event["method"] in spoken]
    outside = [url for url in asked if url != page.as_uri() and not url.startswith("data:")]
    return seen | {"requests": outside, "complaints": complaints}
