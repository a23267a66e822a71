"""Headless Chromium, driven over its DevTools protocol."""

import asyncio
import base64
import contextlib
import json
import pathlib
import re
import shutil
import tempfile

import aiohttp

PATH = shutil.which("chromium") or shutil.which("chromium-browser")


class Page:
    """One tab.

    Args:
        socket: aiohttp's websocket to it.

    Attributes:
        said: What the page wrote to its console, errors and refusals of the CSP too.
    """

    def __init__(self, socket):
        self._socket, self._number, self._answers = socket, 0, {}
        self.said = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for message in self._socket:
            facts = json.loads(message.data)
            if "id" in facts:
                self._answers.pop(facts["id"]).set_result(facts)
            elif facts["method"] == "Runtime.exceptionThrown":
                self.said.append(json.dumps(facts["params"]["exceptionDetails"]))
            elif facts["method"] == "Log.entryAdded":
                entry = facts["params"]["entry"]
                self.said.append(
                    f"{entry['level']}: {entry['text']} {entry.get('url')}"
                )

    async def send(self, method, **parameters):
        self._number += 1
        number = self._number
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(
            json.dumps({"id": number, "method": method, "params": parameters})
        )
        facts = await asyncio.wait_for(answer, 60)
        assert "error" not in facts, facts
        return facts["result"]

    async def run(self, script):
        """Value of a script, which may await."""
        found = await self.send(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, condition, seconds=60):
        """Wait for a condition."""
        for _ in range(seconds * 10):
            with contextlib.suppress(AssertionError):  # while another page loads
                if await self.run(f"return Boolean({condition})"):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"never: {condition}; the page said {self.said}")

    async def go(self, address):
        await self.send("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def shape(self, width, height, dark=False):
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1 if width > 600 else 2,
            mobile=width <= 600,
        )
        scheme = "dark" if dark else "light"
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.send("Emulation.setEmulatedMedia", features=[feature])

    async def shoot(self, path):
        found = await self.send("Page.captureScreenshot", format="png")
        pathlib.Path(path).write_bytes(base64.b64decode(found["data"]))

    async def drop(self, path, x=400, y=300):
        """Drop a file on the page, as from a window of files."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.send("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    async def press(self, key):
        for kind in ("keyDown", "keyUp"):
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, text=key)


@contextlib.asynccontextmanager
async def browser(*flags, downloads=None):
    """Start Chromium; gives a Page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PATH,
            "--headless=new",
            "--no-sandbox",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            "--mute-audio",
            "--no-first-run",
            *flags,
            "about:blank",
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession() as session:
                port = None
                while port is None:
                    line = await asyncio.wait_for(process.stderr.readline(), 60)
                    assert line, "Chromium ended"
                    found = re.search(rb"DevTools listening on ws://[^:]+:(\d+)/", line)
                    port = found and int(found[1])
                drain = asyncio.create_task(process.stderr.read())
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    tabs = await answer.json(content_type=None)
                (tab,) = (tab for tab in tabs if tab["type"] == "page")
                address = tab["webSocketDebuggerUrl"]
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    page = Page(socket)
                    for domain in ("Page", "Runtime", "Log"):
                        await page.send(f"{domain}.enable")
                    if downloads:
                        await page.send(
                            "Browser.setDownloadBehavior",
                            behavior="allow",
                            downloadPath=str(downloads),
                        )
                    yield page
                drain.cancel()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
