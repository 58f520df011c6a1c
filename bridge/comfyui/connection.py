"""
One connection to one bridge: the handshake, calls side by side, the heartbeat. It lives in the event loop of the link's
thread; calls are made from other loops.
"""

from __future__ import annotations

import asyncio
import collections
import functools
import itertools
import json
import threading
import time
import traceback

from . import log
from .exchange import Exchange
from .failures import LineageFailure
from .process import BridgeProcess

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_START_SECONDS = 60
_HELLO_SECONDS = 20
_BEAT_SECONDS = 10
_SILENCE_SECONDS = 40
# Texts that the bridge keeps: the graphs of the prompt that runs, and of a few before.
_KEPT_TEXTS = 4
# How long a file that was read waits to be written over.
_KEEP_SECONDS = 1


class Call:
    """One call, from the event loop that it is made in. Use `with`; leaving it cancels what still runs."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.exchange = connection.exchange
        self.id = connection.next_id()
        self._loop = asyncio.get_running_loop()
        self._messages: collections.deque = collections.deque()
        self._waiter: asyncio.Future | None = None
        self._files: list[str] = []
        self._is_sent = self._is_over = False

    def __enter__(self) -> Call:
        self.connection.calls[self.id] = self
        if not self.connection.is_alive:
            self._arrive(self.connection.lost_message())
        return self

    def __exit__(self, *_) -> None:
        self.connection.calls.pop(self.id, None)
        if self._is_sent and not self._is_over:
            self.connection.send({"kind": "cancel", "id": self.id})
        for name in self._files:
            self.exchange.release(name)
        for message in self._messages:
            self.connection.decline(message)

    def own(self, file: dict) -> dict:
        """Notes a file that was written for this call, so that it goes with it."""
        self._files.append(file["name"])
        return file

    def send(self, message: dict, texts: dict[str, str] | None = None) -> None:
        self._is_sent = True
        self.connection.send({**message, "id": self.id}, texts)

    async def next(self, seconds: float) -> dict | None:
        """The next message of this call, or None when none came in time."""
        if not self._messages:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(seconds, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._is_over = message["kind"] != "progress"
        return message

    def deliver(self, message: dict) -> bool:
        """From the link's thread. False where the loop of this call is gone."""
        try:
            self._loop.call_soon_threadsafe(self._arrive, message)
        except RuntimeError:
            return False
        return True

    def _arrive(self, message: dict) -> None:
        self._messages.append(message)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection:
    """Made by `open`, in the link's loop."""

    def __init__(self, process: BridgeProcess, version: tuple[int, str]):
        self.process = process
        self.exchange = Exchange(process.exchange_folders)
        self.calls: dict[int, Call] = {}
        self.is_alive = False
        self.has_answered = False
        self.node_version = ""
        self.settings: dict = {}
        self._protocol, self._pack = version
        self._ids = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._outgoing: asyncio.Queue = asyncio.Queue()
        self._guard = threading.Lock()
        self._kept_texts: dict[str, int] = {}
        self._text_ids = itertools.count(1)
        self._heard = time.monotonic()
        self._loss: LineageFailure | None = None
        self._ws = self._session = None
        self._tasks: list[asyncio.Task] = []
        self._idle = self._loop.call_later(0, self.exchange.drop_free)
        self.ended = asyncio.Event()

    async def open(self, settings: dict) -> None:
        """Waits for the bridge, connects, and exchanges versions; raises LineageFailure."""
        import aiohttp

        process = self.process
        await self._loop.run_in_executor(None, process.wait_until_ready, _START_SECONDS)
        connector = aiohttp.UnixConnector(path=process.socket) if process.socket else aiohttp.TCPConnector()
        self._session = aiohttp.ClientSession(connector=connector)
        host = "lineage" if process.socket else f"127.0.0.1:{process.port}"
        try:
            self._ws = await asyncio.wait_for(
                self._session.ws_connect(
                    f"http://{host}/",
                    headers={"Authorization": f"Bearer {process.token}"},
                    max_msg_size=MAX_MESSAGE_BYTES,
                    autoping=False,
                    compress=0,
                ),
                _HELLO_SECONDS,
            )
            hello = {"kind": "hello", "protocol": self._protocol, "version": self._pack, "settings": settings}
            await self._ws.send_str(json.dumps(hello))
            welcome = await asyncio.wait_for(self._ws.receive(), _HELLO_SECONDS)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            raise LineageFailure("bridge/no-start", f"expected to reach the bridge, got: {error!r}") from error
        said = json.loads(welcome.data) if welcome.type == aiohttp.WSMsgType.TEXT else {}
        if (said.get("protocol"), said.get("version")) != (self._protocol, self._pack):
            raise LineageFailure(
                "bridge/version",
                f"expected a bridge of version {self._pack} (protocol {self._protocol}), "
                f"got {said.get('version')} (protocol {said.get('protocol')})",
            )
        self.settings = settings
        self.node_version = str(said.get("node"))
        self.is_alive = True
        log.write("info", f"bridge {self._pack} started on Node.js {self.node_version}, process {process.pid}")
        self._tasks = [self._loop.create_task(each()) for each in (self._read, self._write, self._beat)]

    def next_id(self) -> int:
        """From any thread."""
        return next(self._ids)

    def send(self, message: dict, texts: dict[str, str] | None = None) -> None:
        """
        From any thread; after the end it does nothing.

        :param texts: long texts by their names in the message. Each is sent once while it is one of the last few, and
            the message has its number: a graph is not sent with every node of it.
        """
        if not texts:
            return self._send(message)
        # Nobody may make the bridge forget a text between its number and the message that has it.
        with self._guard:
            self._send({**message, **{name: self._number_of(text) for name, text in texts.items()}})
            while len(self._kept_texts) > _KEPT_TEXTS:
                oldest = next(iter(self._kept_texts))
                self._send({"kind": "forget", "text": self._kept_texts.pop(oldest)})

    def _number_of(self, text: str) -> int:
        number = self._kept_texts.pop(text, None)
        if number is None:
            number = next(self._text_ids)
            self._send({"kind": "keep", "text": number, "content": text})
        self._kept_texts[text] = number
        return number

    def _send(self, message: dict) -> None:
        text = json.dumps(message, allow_nan=False)
        if len(text) > MAX_MESSAGE_BYTES:
            raise LineageFailure(
                "bridge/too-large", f"expected a message of at most {MAX_MESSAGE_BYTES} bytes, got {len(text)}"
            )
        try:
            self._loop.call_soon_threadsafe(self._outgoing.put_nowait, text)
        except RuntimeError:
            pass  # The link's loop is closed: this process ends.

    def send_settings(self, settings: dict) -> None:
        """Tells of changed folders, once."""
        if settings != self.settings:
            self.settings = settings
            self.send({"kind": "settings", "settings": settings})

    def lost_message(self) -> dict:
        return {"kind": "lost", "failure": self._loss}

    def taker(self, file: dict):
        """What to call when nobody needs a file of the bridge any more, from any thread."""
        return functools.partial(self.send, {"kind": "taken", "name": file["name"]})

    def decline(self, message: dict) -> None:
        """Lets the bridge remove files that nobody will read."""
        for output in [*message.get("outputs", []), message]:
            for file in (output.get("file"), output.get("preview"), output.get("body")):
                if isinstance(file, dict):
                    self.taker(file)()

    async def close(self, loss: LineageFailure) -> None:
        """Ends it: every call hears of the loss, the process and its folders are gone afterwards."""
        if self._loss is not None:
            return await self.ended.wait()
        self._loss = loss
        self.is_alive = False
        for call in list(self.calls.values()):
            call.deliver(self.lost_message())
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if self._session is not None:
            await self._session.close()
        await self._loop.run_in_executor(None, self.process.stop)
        self.ended.set()

    async def _read(self) -> None:
        try:
            await self._read_frames()
            end = await self._loop.run_in_executor(None, self.process.describe_end)
        except Exception as error:  # Whatever it is: without a reading end, every call would wait for ever.
            log.write("error", f"a message of the bridge was not understood:\n{traceback.format_exc()}")
            end = f"got a message that was not understood: {error!r}"
        loss = LineageFailure("bridge/lost", f"expected the bridge to go on, {end}")
        log.write("error", str(loss))
        await self.close(loss)

    async def _read_frames(self) -> None:
        """Until the connection ends."""
        import aiohttp

        async for frame in self._ws:
            self._heard = time.monotonic()
            if frame.type == aiohttp.WSMsgType.PING:
                await self._ws.pong(frame.data)
            elif frame.type == aiohttp.WSMsgType.TEXT:
                self._dispatch(json.loads(frame.data))
            elif frame.type != aiohttp.WSMsgType.PONG:
                break

    async def _write(self) -> None:
        while True:
            text = await self._outgoing.get()
            try:
                await self._ws.send_str(text)
            except (OSError, RuntimeError):
                return  # The reading end hears of it and tells everybody.

    async def _beat(self) -> None:
        """
        A bridge that says nothing for long is taken for hung. A pause of our own (a model that loads and holds the
        interpreter, a laptop that sleeps) says nothing of the bridge, so after one it gets its time anew.
        """
        while True:
            before = time.monotonic()
            await asyncio.sleep(_BEAT_SECONDS)
            now = time.monotonic()
            if now - before > _BEAT_SECONDS * 1.5:
                self._heard = now
            if now - self._heard > _SILENCE_SECONDS:
                loss = LineageFailure("bridge/hung", f"expected an answer within {_SILENCE_SECONDS} s, got none")
                log.write("error", str(loss))
                return await self.close(loss)
            try:
                await self._ws.ping()
            except (OSError, RuntimeError):
                return

    def _dispatch(self, message: dict) -> None:
        kind = message["kind"]
        if kind == "taken":
            if self.exchange.give_back(message["name"]):
                self._idle.cancel()
                self._idle = self._loop.call_later(_KEEP_SECONDS, self.exchange.drop_free)
            return None
        if kind == "log":
            return log.write(message["level"], message["message"])
        if kind in ("done", "failed", "answer"):
            self.has_answered = True
        call = self.calls.get(message["id"])
        if call is None or not call.deliver(message):
            self.decline(message)
