"""A headless Chromium driven over a pipe by the DevTools protocol; nothing to install for it."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# Chromium reads commands from descriptor 3 and answers on 4.
_START = (
    "import fcntl, os, sys; r, w = (fcntl.fcntl(int(a), fcntl.F_DUPFD, 10) for a in sys.argv[1:3]);"
    "os.dup2(r, 3); os.dup2(w, 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_PATIENCE = 60.0


def find_chromium() -> str | None:
    """The program's path, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class _PageLeftError(Exception):
    """The page was replaced while it was asked."""


class Browser:
    """One page of a browser of its own. ``problems`` collects errors, warnings and requests."""

    def __init__(self, program: str, profile: Path) -> None:
        self.problems: list[str] = []
        self._number, self._rest = 0, b""
        commands, self._send = os.pipe()
        self._receive, answers = os.pipe()
        options = [
            "--headless=new",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={profile}",
        ]
        if os.geteuid() == 0:  # its sandbox refuses to run as root
            options.append("--no-sandbox")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(commands), str(answers), program, *options],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._send)
        os.close(self._receive)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        left = json.dumps(message).encode() + b"\0"
        while left:
            left = left[os.write(self._send, left) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    raise _PageLeftError
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer)

    def open(
        self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False,
        still: bool = True, touch: bool = False,
    ) -> None:  # fmt: skip
        """Show a page whose script then tells, by ``data-shown``, that it has drawn."""
        media = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        self.call("Emulation.setEmulatedMedia", features=media)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if touch else 1, mobile=touch,
        )  # fmt: skip
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.until("document.readyState === 'complete'")

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page; promises are awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, wanted: Callable[[Any], bool] = bool) -> Any:
        """Wait for an expression to have a wanted value, on a page that may still be replaced."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                value = self.run(expression)
            except _PageLeftError:
                value = None
            else:
                if wanted(value):
                    return value
            assert time.monotonic() < end, f"{expression} stays {value!r}"
            time.sleep(0.02)

    def key(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key where the focus is; modifiers: 1 alt, 2 ctrl, 8 shift."""
        text = {"Space": " "}.get(key, key)
        codes = {"Tab": 9, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38}
        codes |= {"ArrowRight": 39, "ArrowDown": 40, "Enter": 13}
        event: dict[str, Any] = {
            "key": text,
            "modifiers": modifiers,
            "windowsVirtualKeyCode": codes.get(text, ord(text[0].upper())),
        }
        if len(text) == 1:
            event["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at a point of the window, move it, release it."""
        held: Mapping[str, Any] = {"button": "left", "buttons": 1, "clickCount": 1}
        (x, y), (u, v) = start, end
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **held)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=u, y=v, **held)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=u, y=v, **held)

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """A screenshot as PNG, of the whole page or of the window."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._receive], [], [], _PATIENCE)
            chunk = os.read(self._receive, 1 << 20) if ready else b""
            assert chunk, "the browser does not answer"
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: Mapping[str, Any]) -> None:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(str(parameters["args"]))
        elif method == "Log.entryAdded":
            self.problems.append(str(parameters["entry"]))
        elif method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith(("data:", "file:")):
                self.problems.append(f"asks for {url}")
