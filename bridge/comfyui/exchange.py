"""
Raw files in the exchange folders: see raw-file.ts for the head and exchange.ts for the other end. Whoever makes a file
removes it; the other side knows only its name.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import struct
import threading

from . import log
from .failures import LineageFailure

HEAD_BYTES = 64
MAX_FILE_BYTES = 16 * 1024**3
KINDS = {"bytes": 0, "uint8": 1, "float32": 2}
_HEAD = struct.Struct("<4sBBBB4Q24x")
_MAGIC = b"LNGX"
_VERSION = 1
_NAME = re.compile(r"[0-9a-f]{32}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


# Fresh pages of shared memory cost four times what copying into used ones does (12 MiB: 9 ms and 2 ms), so a file of
# pixels that the other side has read is written over by the next of its size. What nobody needs goes: see `drop_free`.
_KEPT_FROM_BYTES = 1 << 20
_KEPT_BYTES = 512 << 20


class Exchange:
    """The folders of one bridge, in order of preference. From any thread."""

    def __init__(self, folders: list[str]):
        self.folders = folders
        self._guard = threading.Lock()
        self._owned: dict[str, tuple[int, int]] = {}
        self._free: list[str] = []

    def write(self, kind: str, shape: tuple[int, ...], data) -> dict:
        """
        Writes one value.

        :param data: a contiguous buffer of exactly this shape; not modified.
        :returns: what the other side is told.
        """
        head = _HEAD.pack(_MAGIC, _VERSION, KINDS[kind], len(shape), 0, *shape, *(0,) * (4 - len(shape)))
        body = memoryview(data).cast("B") if memoryview(data).nbytes else memoryview(b"")
        size = HEAD_BYTES + len(body)
        for name, flags in self._names_for(size):
            try:
                self._fill(name, flags, head, body)
                return {"place": self._owned[name][0], "name": name}
            except OSError as error:
                self.release(name)
                if error.errno not in _FULL:
                    raise LineageFailure(
                        "exchange/file", f"expected to write an exchange file, got: {error.strerror}"
                    ) from error
        raise LineageFailure(
            "exchange/full", f"expected room for {len(body)} bytes, got none in {' or '.join(self.folders)}"
        )

    def _names_for(self, size: int):
        """Names to write to until one has room, and how to open each: a file that is kept, then a new one in every folder."""
        used = self._take_free(size)
        if used is not None:
            yield used, os.O_WRONLY
        for place in range(len(self.folders)):
            name = secrets.token_hex(16)
            self._owned[name] = (place, size)
            yield name, os.O_WRONLY | os.O_CREAT | os.O_EXCL

    def _fill(self, name: str, flags: int, *parts) -> None:
        handle = os.open(self._path(name), flags | _NOFOLLOW | _BINARY, 0o600)
        try:
            for part in map(memoryview, parts):
                while part:
                    part = part[os.write(handle, part) :]
        finally:
            os.close(handle)

    def _path(self, name: str) -> str:
        return os.path.join(self.folders[self._owned[name][0]], name)

    def _take_free(self, size: int) -> str | None:
        """A file to write over, under a new name: what is still said of the old one then means nothing."""
        with self._guard:
            old = next((each for each in self._free if self._owned[each][1] == size), None)
            if old is None:
                return None
            self._free.remove(old)
            new = secrets.token_hex(16)
            try:
                os.rename(self._path(old), os.path.join(self.folders[self._owned[old][0]], new))
            except OSError:
                new = None  # It cannot be used again; a new file is made, which says what is wrong if it cannot be either.
            else:
                self._owned[new] = self._owned.pop(old)
        if new is None:
            self.release(old)
        return new

    def read(self, file: dict, into) -> tuple[str, tuple[int, ...], object]:
        """
        Reads a file of the other side's.

        :param into: called with the kind and shape, gives a writable buffer for the elements.
        :returns: kind, shape and what `into` gave, filled.
        """
        place, name = file.get("place"), file.get("name")
        if type(place) is not int or not 0 <= place < len(self.folders):
            raise _unfit("an exchange folder", "another")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _unfit("the name of an exchange file", "another text")
        path = os.path.join(self.folders[place], name)
        try:
            if not _NOFOLLOW and os.path.islink(path):
                raise _unfit("a file", "a link")
            handle = os.open(path, os.O_RDONLY | _NOFOLLOW | _BINARY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise LineageFailure("exchange/file", f"expected an exchange file, got: {error.strerror}") from error
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
                raise _unfit("a file of one name", "something else")
            kind, shape, size = _read_head(os.read(handle, HEAD_BYTES), state.st_size)
            target = into(kind, shape)
            view = memoryview(target).cast("B") if size else memoryview(bytearray())
            while view:
                done = os.readv(handle, [view[: 1 << 30]]) if hasattr(os, "readv") else _read_into(handle, view)
                if done == 0:
                    raise _unfit(f"{size} bytes", "fewer")
                view = view[done:]
            return kind, shape, target
        finally:
            os.close(handle)

    def give_back(self, name: str) -> bool:
        """
        The other side has read this file of ours: it is kept for a while if that may pay, else removed; any other name does
        nothing. True where it is kept.
        """
        with self._guard:
            owned = self._owned.get(name)
            kept = sum(self._owned[each][1] for each in self._free)
            keep = owned is not None and owned[1] >= _KEPT_FROM_BYTES and kept + owned[1] <= _KEPT_BYTES
            if keep and name not in self._free:
                self._free.append(name)
        if not keep:
            self.release(name)
        return keep

    def drop_free(self) -> None:
        """Removes what is kept."""
        with self._guard:
            free, self._free = self._free, []
        for name in free:
            self.release(name)

    def release(self, name: str) -> None:
        """Removes a file of ours, also one that nobody has read; any other name does nothing."""
        with self._guard:
            if name not in self._owned or name in self._free:
                return
            path = self._path(name)
            del self._owned[name]
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass  # The folder went with its bridge, or there was no room to make it.
        except OSError as error:
            log.write("warn", f"{path} cannot be removed: {error.strerror}")


def _read_head(head: bytes, file_bytes: int) -> tuple[str, tuple[int, ...], int]:
    if len(head) < HEAD_BYTES or file_bytes > MAX_FILE_BYTES:
        raise _unfit("a head", "a file of another size")
    magic, version, number, rank, zero, *sizes = _HEAD.unpack(head)
    kind = next((name for name, each in KINDS.items() if each == number), None)
    if magic != _MAGIC or version != _VERSION or zero != 0 or any(head[40:]) or kind is None:
        raise _unfit("an exchange file", "another")
    if rank != (1 if kind == "bytes" else 4) or any(sizes[rank:]) or (rank == 4 and 0 in sizes):
        raise _unfit("a shape", str(sizes))
    shape = tuple(sizes[:rank])
    size = 4 if kind == "float32" else 1
    for each in shape:
        size *= each
    if size != file_bytes - HEAD_BYTES:
        raise _unfit(f"{size} bytes", str(file_bytes - HEAD_BYTES))
    return kind, shape, size


def _read_into(handle: int, view: memoryview) -> int:
    part = os.read(handle, min(len(view), 1 << 24))
    view[: len(part)] = part
    return len(part)


def _unfit(expected: str, got: str) -> LineageFailure:
    return LineageFailure("exchange/file", f"expected {expected}, got {got}")
