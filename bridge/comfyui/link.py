"""
The way to the bridge: one thread with an event loop of its own, since ComfyUI runs each prompt in another loop than its
server. The bridge starts with the first call, and again after it died.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time

from . import comfy, log
from .connection import Call, Connection
from .failures import LineageFailure
from .process import BridgeProcess

_LONGEST_WAIT_SECONDS = 15.0


class Link:
    """
    One for each ComfyUI process.

    :param version: protocol and version of the pack, as the manifest says.
    :param entry: another program than the pack's own (tests).
    """

    def __init__(self, root: str, version: tuple[int, str], entry: str | None = None, **options):
        self.root = root
        self.version = version
        self.last_failure: LineageFailure | None = None
        self._entry = entry
        self._options = options
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._starting: asyncio.Task | None = None
        self._failures = 0
        self._failed_at = 0.0

    @property
    def connection(self) -> Connection | None:
        """The living one, if there is one; asking starts nothing."""
        connection = self._connection
        return connection if connection is not None and connection.is_alive else None

    def call_now(self) -> Call | None:
        """A call where the bridge runs already, else None; as `call`, without a task to wait for."""
        connection = self.connection
        if connection is None:
            return None
        connection.send_settings(comfy.settings())
        return Call(connection)

    async def call(self) -> Call:
        """A call over a living connection, made where there is none; from any event loop. Raises LineageFailure."""
        call = self.call_now()
        if call is None:
            loop = self._start_thread()
            connection = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._connect(), loop))
            connection.send_settings(comfy.settings())
            call = Call(connection)
        return call

    def close(self) -> None:
        """Ends the bridge; at the end of this process, and in tests."""
        connection, self._connection = self._connection, None
        if connection is not None and self._loop is not None:
            loss = LineageFailure("bridge/lost", "expected the bridge to go on, ComfyUI ends it")
            try:
                asyncio.run_coroutine_threadsafe(connection.close(loss), self._loop).result(5)
            except Exception as error:  # At the end of a process nothing more can be done about it.
                log.write("warn", f"the bridge did not end in order: {error!r}")
                connection.process.stop()

    def _start_thread(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="lineage-link", daemon=True).start()
                atexit.register(self.close)
            return self._loop

    async def _connect(self) -> Connection:
        """In the link's loop: everybody who asks meanwhile waits for the same start."""
        if self.connection is not None:
            return self.connection
        if self._starting is None or self._starting.done():
            self._starting = asyncio.get_running_loop().create_task(self._start())
            # Also when all who asked were interrupted, the outcome is looked at.
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._starting)

    async def _start(self) -> Connection:
        previous = self._connection
        if previous is not None:
            await previous.ended.wait()
            self._note(previous.has_answered)
        wait = self._failed_at + self._back_off() - time.monotonic()
        if wait > 0:
            log.write("info", f"the bridge failed {self._failures} times; the next start waits {wait:.1f} s")
            await asyncio.sleep(wait)
        self._connection = None
        loop = asyncio.get_running_loop()
        try:
            process = await loop.run_in_executor(
                None, lambda: BridgeProcess(self.root, comfy.home(), self._entry, **self._options)
            )
        except LineageFailure as failure:
            # Nothing ran, so there is nothing to wait for: the owner may have installed Node.js by the next try.
            self.last_failure = failure
            raise
        connection = Connection(process, self.version)
        try:
            await connection.open(comfy.settings())
        except Exception as error:
            failure = error
            if not isinstance(error, LineageFailure):
                failure = LineageFailure("bridge/no-start", f"expected the bridge to start, got: {error!r}")
            self.last_failure = failure
            self._note(False)
            await connection.close(failure)
            raise failure from error
        self._connection = connection
        self.last_failure = None
        return connection

    def _note(self, did_work: bool) -> None:
        """A bridge that has answered before it died is no reason to wait."""
        self._failures = 1 if did_work else self._failures + 1
        self._failed_at = time.monotonic()

    def _back_off(self) -> float:
        return 0.0 if self._failures < 2 else min(0.5 * 2 ** (self._failures - 2), _LONGEST_WAIT_SECONDS)
