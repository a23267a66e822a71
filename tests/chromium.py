"""Headless Chromium for tests: a page that is driven over the DevTools protocol."""

import asyncio
import base64
import contextlib
import functools
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

import pytest

PATH = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--mute-audio",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--remote-debugging-port=0",
)


class Page:
    """The first page of a browser; methods wait for what they ask for.

    Attributes:
        messages: What the page wrote to its console, and errors that nobody caught.
    """

    def __init__(self, runner, socket):
        self.messages = []
        self._runner, self._socket, self._calls = runner, socket, 0
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, timeout=120, **arguments):
        """Call a method of the protocol; return its result."""
        self._calls += 1
        call = {"id": self._calls, "method": method, "params": arguments}
        answer = self._runner.run(asyncio.wait_for(self._answer(call), timeout))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    async def _answer(self, call):
        await self._socket.send_json(call)
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("id") == call["id"]:
                return message
            self._note(message)

    def _note(self, event):
        facts = event.get("params", {})
        if event.get("method") == "Runtime.consoleAPICalled":
            texts = [str(a.get("value", a.get("description"))) for a in facts["args"]]
            self.messages.append(f"{facts['type']}: {' '.join(texts)}")
        elif event.get("method") == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            text = details.get("exception", {}).get("description", details["text"])
            self.messages.append(f"exception: {text}")
        elif event.get("method") == "Log.entryAdded":
            entry = facts["entry"]
            text = f"{entry['level']}: {entry['text']} {entry.get('url', '')}"
            self.messages.append(text)

    def open(self, url):
        """Go to an address."""
        self.call("Page.navigate", url=url)

    def run(self, code, timeout=120):
        """Return the value of an expression, of a promise what it resolves to."""
        found = self.call(
            "Runtime.evaluate",
            timeout,
            expression=code,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            text = details.get("exception", {}).get("description", details["text"])
            raise RuntimeError(f"{code[:200]}: {text}")
        return found["result"].get("value")

    def wait(self, code, timeout=60):
        """Wait until an expression is true; return its value."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with contextlib.suppress(RuntimeError):  # while a page is being loaded
                if value := self.run(code):
                    return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {code}; the page said {self.messages}")

    def key(self, key, **arguments):
        """Press and let go of a key."""
        code = {"key": key, "text": key if len(key) == 1 else "", **arguments}
        self.call("Input.dispatchKeyEvent", type="keyDown", **code)
        self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def look(self, width, height, dark=False, phone=False):
        """Take a size in CSS pixels, and a color scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path):
        """Write what is shown as a PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))


@contextlib.contextmanager
def browser(*flags):
    """Start Chromium; yield its Page. Tests are skipped where there is none."""
    aiohttp = pytest.importorskip("aiohttp")
    if PATH is None:
        pytest.skip("Chromium is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [PATH, *FLAGS, f"--user-data-dir={profile}", *flags, "about:blank"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with asyncio.Runner() as runner:
                session, socket = runner.run(_connect(aiohttp, profile, process))
                try:
                    yield Page(runner, socket)
                finally:
                    runner.run(session.close())
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with all that it started
            process.wait(30)


async def _connect(aiohttp, profile, process):
    port = pathlib.Path(profile, "DevToolsActivePort")
    for _ in range(600):
        if port.is_file() and port.read_text().count("\n"):
            break
        if process.poll() is not None:
            raise RuntimeError(f"Chromium ended with {process.returncode}")
        await asyncio.sleep(0.1)
    address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}/json/list"
    for _ in range(100):
        with urllib.request.urlopen(address) as answer:
            pages = [p for p in json.load(answer) if p["type"] == "page"]
        if pages:
            break
        await asyncio.sleep(0.1)
    session = aiohttp.ClientSession()
    socket = await session.ws_connect(
        pages[0]["webSocketDebuggerUrl"], max_msg_size=0, autoping=True
    )
    return session, socket


@contextlib.contextmanager
def served(folder):
    """Serve a folder as `python -m http.server` does; yield its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
