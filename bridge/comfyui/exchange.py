"""
Raw files in the exchange folders: see raw-file.ts for the head and exchange.ts for the other end. Whoever makes a file
removes it; the other side knows only its name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import math
import mmap
import os
import re
import secrets
import stat
import struct
import threading
import weakref

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


# Memory of fresh pages costs several times what copying into used ones does (12 MiB: 3 to 9 ms and 1 ms), so a file of
# pixels that the other side has read is written over by the next of its size. What nobody needs goes: see `drop_free`.
_KEPT_FROM_BYTES = 1 << 20
_KEPT_BYTES = 512 << 20

# Files are mapped where their room can be had beforehand: a mapped file that finds no room ends the process. A tensor
# then lies in the file that the other side wrote, and one of any type is brought into ours in one pass (12 MiB: 0.5 ms
# for writing and 1.2 ms for reading a copy are saved).
_CAN_MAP = hasattr(os, "posix_fallocate")
_POPULATED = {"flags": mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)} if _CAN_MAP else {}


@dataclasses.dataclass
class _Owned:
    place: int
    size: int
    memory: mmap.mmap | None = None


class Exchange:
    """The folders of one bridge, in order of preference. From any thread."""

    def __init__(self, folders: list[str]):
        self.folders = folders
        self._guard = threading.Lock()
        self._owned: dict[str, _Owned] = {}
        self._free: list[str] = []

    def write(self, kind: str, shape: tuple[int, ...], fill) -> dict:
        """
        Writes one value.

        :param fill: called with a writable buffer for the elements, again where a folder has no room.
        :returns: what the other side is told.
        """
        count = (4 if kind == "float32" else 1) * math.prod(shape)
        head = _HEAD.pack(_MAGIC, _VERSION, KINDS[kind], len(shape), 0, *shape, *(0,) * (4 - len(shape)))
        for name, flags in self._names_for(HEAD_BYTES + count):
            try:
                self._store(name, flags, head, fill)
                return {"place": self._owned[name].place, "name": name}
            except OSError as error:
                self.release(name)
                if error.errno not in _FULL:
                    raise LineageFailure(
                        "exchange/file", f"expected to write an exchange file, got: {error.strerror}"
                    ) from error
            except BaseException:
                self.release(name)
                raise
        raise LineageFailure("exchange/full", f"expected room for {count} bytes, got none in {' or '.join(self.folders)}")

    def write_bytes(self, data: bytes) -> dict:
        """As `write`, for bytes."""

        def fill(view: memoryview) -> None:
            view[:] = data

        return self.write("bytes", (len(data),), fill)

    def _names_for(self, size: int):
        """Names to write to until one has room, and how to open each: a file that is kept, then a new one in every folder."""
        used = self._take_free(size)
        if used is not None:
            yield used, os.O_RDWR
        for place in range(len(self.folders)):
            name = secrets.token_hex(16)
            self._owned[name] = _Owned(place, size)
            yield name, os.O_RDWR | os.O_CREAT | os.O_EXCL

    def _store(self, name: str, flags: int, head: bytes, fill) -> None:
        owned = self._owned[name]
        handle = os.open(self._path(name), flags | _NOFOLLOW | _BINARY, 0o600)
        try:
            if not _CAN_MAP:
                body = bytearray(owned.size - HEAD_BYTES)
                fill(memoryview(body))
                return _write_all(handle, head, body)
            if owned.memory is None:
                os.posix_fallocate(handle, 0, owned.size)
                owned.memory = mmap.mmap(handle, owned.size)
            with memoryview(owned.memory) as view, view[HEAD_BYTES:] as elements:
                view[:HEAD_BYTES] = head
                fill(elements)
        finally:
            os.close(handle)

    def _path(self, name: str) -> str:
        return os.path.join(self.folders[self._owned[name].place], name)

    def _take_free(self, size: int) -> str | None:
        """A file to write over, under a new name: what is still said of the old one then means nothing."""
        with self._guard:
            old = next((each for each in self._free if self._owned[each].size == size), None)
            if old is None:
                return None
            self._free.remove(old)
            new = secrets.token_hex(16)
            try:
                os.rename(self._path(old), os.path.join(self.folders[self._owned[old].place], new))
            except OSError:
                new = None  # It cannot be used again; a new file is made, which says what is wrong if it cannot be either.
            else:
                self._owned[new] = self._owned.pop(old)
        if new is None:
            self.release(old)
        return new

    def read(self, file: dict, taken) -> tuple[str, tuple[int, ...], memoryview]:
        """
        Gives the elements of a file of the other side's, which are the caller's from now on.

        :param taken: called once, as soon as nobody needs the file any more; that may be as late as the elements' end, in
            any thread.
        :returns: kind, shape and the elements, which may be written to.
        """
        with contextlib.ExitStack() as at_once:
            at_once.callback(taken)
            with self._opened(file) as handle:
                state = os.fstat(handle)
                if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
                    raise _unfit("a file of one name", "something else")
                kind, shape, size = _read_head(os.read(handle, HEAD_BYTES), state.st_size)
                if size == 0:
                    return kind, shape, memoryview(bytearray())
                if _CAN_MAP and size >= _KEPT_FROM_BYTES and _has_room(self.folders[file["place"]]):
                    memory = mmap.mmap(handle, HEAD_BYTES + size, **_POPULATED)
                    weakref.finalize(memory, at_once.pop_all().close).atexit = False
                    return kind, shape, memoryview(memory)[HEAD_BYTES:]
                elements = memoryview(mmap.mmap(-1, size))
                _read_all(handle, elements)
                return kind, shape, elements

    @contextlib.contextmanager
    def _opened(self, file: dict):
        place, name = file.get("place"), file.get("name")
        if type(place) is not int or not 0 <= place < len(self.folders):
            raise _unfit("an exchange folder", "another")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _unfit("the name of an exchange file", "another text")
        path = os.path.join(self.folders[place], name)
        try:
            if not _NOFOLLOW and os.path.islink(path):
                raise _unfit("a file", "a link")
            handle = os.open(path, os.O_RDWR | _NOFOLLOW | _BINARY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise LineageFailure("exchange/file", f"expected an exchange file, got: {error.strerror}") from error
        try:
            yield handle
        finally:
            os.close(handle)

    def give_back(self, name: str) -> bool:
        """
        The other side has read this file of ours: it is kept for a while if that may pay, else removed; any other name does
        nothing. True where it is kept.
        """
        with self._guard:
            owned = self._owned.get(name)
            kept = sum(self._owned[each].size for each in self._free)
            keep = owned is not None and owned.size >= _KEPT_FROM_BYTES and kept + owned.size <= _KEPT_BYTES
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


def _has_room(folder: str) -> bool:
    """Whether memory of the folder can be held for long. A container may have 64 MiB of it."""
    state = os.statvfs(folder)
    return state.f_bavail * 2 >= state.f_blocks


def _write_all(handle: int, *parts) -> None:
    for part in map(memoryview, parts):
        while part:
            part = part[os.write(handle, part) :]


def _read_all(handle: int, view: memoryview) -> None:
    with os.fdopen(handle, "rb", buffering=0, closefd=False) as source:
        while view:
            done = source.readinto(view[: 1 << 30])
            if not done:
                raise _unfit("all bytes of the file", "fewer")
            view = view[done:]


def _unfit(expected: str, got: str) -> LineageFailure:
    return LineageFailure("exchange/file", f"expected {expected}, got {got}")
