"""
Starts the bridge and ends it. It gets its token and folders by standard input, a pipe that nobody else holds: when this
process is gone, however it went, the pipe ends and the bridge ends itself. What it prints goes to ComfyUI's log.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading

from . import folders, log
from .failures import LineageFailure
from .node_program import find_node, minimal_environment, no_window

_END_SECONDS = 2
_LONGEST_LINE = 16 * 1024


def find_entry(root: str) -> str:
    """The program: one file in the folder that users install, the sources in a clone that has its node_modules."""
    packed = os.path.join(root, "dist", "bridge.mjs")
    if os.path.isfile(packed):
        return packed
    if os.path.isdir(os.path.join(root, "node_modules", "ws")):
        return os.path.join(root, "bridge", "comfyui", "main.ts")
    raise LineageFailure(
        "bridge/not-installed",
        "expected dist/bridge.mjs or node_modules beside the nodes, found neither; this looks like a bare clone",
        where={"file": root},
    )


class BridgeProcess:
    """One running bridge, with folders of its own."""

    def __init__(self, root: str, home: str, entry: str | None = None, loopback: bool = sys.platform == "win32"):
        """
        Starts it; `wait_until_ready` tells when it listens.

        :param loopback: by a port of this machine. A unix socket is better where there is one: its folder is this user's.
        """
        entry = entry or find_entry(root)
        node = find_node(root, home, dict(os.environ))
        parents = [folders.runtime_parent(), *folders.exchange_parents()]
        for parent in dict.fromkeys(parents):
            folders.sweep(parent)
        self._folders = [folders.PrivateFolder(parent) for parent in parents]
        runtime, *exchange = (folder.path for folder in self._folders)
        self.exchange_folders = exchange
        self.token = secrets.token_hex(32)
        self.socket = None if loopback else os.path.join(runtime, "bridge.sock")
        self.port: int | None = None
        self._ready = threading.Event()
        self._last_lines: list[str] = []
        try:
            self._popen = subprocess.Popen(
                [node, "--enable-source-maps", "--disable-warning=ExperimentalWarning", entry],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=root,
                env=minimal_environment(os.environ),
                # Ctrl-C in the terminal is for ComfyUI.
                start_new_session=sys.platform != "win32",
                **no_window(),
            )
        except OSError as error:
            self._remove_folders()
            raise LineageFailure("bridge/no-start", f"expected {node} to start, got: {error}") from error
        birth = {
            "token": self.token,
            "listen": {"loopback": True} if loopback else {"path": self.socket},
            "exchange": exchange,
            "scratch": [folder.path for folder in self._folders],
        }
        for pipe, level in ((self._popen.stdout, "info"), (self._popen.stderr, "warn")):
            threading.Thread(target=self._pump, args=(pipe, level), name="lineage-log", daemon=True).start()
        try:
            self._popen.stdin.write(json.dumps(birth).encode() + b"\n")
            self._popen.stdin.flush()
        except OSError:
            pass  # It is gone already; waiting for it tells so.

    def wait_until_ready(self, seconds: float) -> None:
        """Blocks until it listens; raises LineageFailure when it does not."""
        if not self._ready.wait(seconds):
            raise LineageFailure("bridge/no-start", f"expected the bridge to listen within {seconds:.0f} s, it does not")
        if self.port is None and self.socket is None or self._popen.poll() is not None:
            said = f"; it said: {self._last_lines[-1]}" if self._last_lines else ""
            raise LineageFailure("bridge/no-start", f"expected the bridge to start, {self.describe_end()}{said}")

    @property
    def pid(self) -> int:
        return self._popen.pid

    def describe_end(self) -> str:
        """How it ended, for people."""
        try:
            status = self._popen.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return "it runs on but does not answer"
        return f"it was killed by signal {-status}" if status < 0 else f"it ended with status {status}"

    def stop(self) -> None:
        """Ends it, at first politely, and removes its folders. May be called twice."""
        try:
            self._popen.stdin.close()
        except OSError:
            pass
        try:
            self._popen.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._remove_folders()

    def _remove_folders(self) -> None:
        for folder in self._folders:
            folder.remove()

    def _pump(self, pipe, level: str) -> None:
        for raw in iter(lambda: pipe.readline(_LONGEST_LINE), b""):
            line = raw.decode("utf-8", "replace").rstrip()
            if level == "info" and not self._ready.is_set() and self._take_ready(line):
                continue
            if line:
                self._last_lines = [*self._last_lines[-3:], line]
                log.write(level, line)
        pipe.close()
        # Whoever waits hears of the end too.
        if level == "info":
            try:
                self._popen.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            self._ready.set()

    def _take_ready(self, line: str) -> bool:
        try:
            said = json.loads(line)["ready"]
        except (ValueError, KeyError, TypeError):
            return False
        self.port = said["port"]
        self._ready.set()
        return True
