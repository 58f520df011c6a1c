"""
Private folders of one run: for the socket, and for raw files in shared memory. Whoever makes one holds a lock in it for
as long as he lives, so the next start can tell what a dead process left behind, also where numbers of processes mean
nothing (containers that share /dev/shm).
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_PREFIX = "lineage-"
_NAME = re.compile(r"^lineage-[0-9]+-[A-Za-z0-9_]+$")
_LOCK = "lock"
# Between making a folder and locking it, another process must not take it for a dead one's.
_YOUNG_SECONDS = 60
# A unix socket's path may have 107 bytes on Linux and 103 on macOS.
_MAX_SOCKET_PATH = 100


class PrivateFolder:
    """A folder with mode 0700 that only this process uses; `remove` takes it away with all that is in it."""

    def __init__(self, parent: str):
        # mkdtemp makes it 0700, under a name that nobody could have guessed and prepared.
        self.path = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent)
        self._lock = os.open(os.path.join(self.path, _LOCK), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        shutil.rmtree(self.path, ignore_errors=True)


def runtime_parent() -> str:
    """Where the folder of the socket is made: this user's folder for such things, else the one for temporary files."""
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):
        if parent and _usable(parent) and len(parent) + 40 <= _MAX_SOCKET_PATH:
            return parent
    return tempfile.gettempdir()


def exchange_parents() -> list[str]:
    """Where raw files go, in order: shared memory where there is one, then a disk for what does not fit into it."""
    parents = ["/dev/shm"] if _usable("/dev/shm") else []
    return [*parents, tempfile.gettempdir()]


def sweep(parent: str) -> int:
    """Removes what dead processes of this user left there; says how many folders."""
    removed = 0
    try:
        names = os.listdir(parent)
    except OSError:
        return 0
    for name in names:
        path = os.path.join(parent, name)
        if _NAME.match(name) and _is_left_behind(path):
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed


def _is_left_behind(path: str) -> bool:
    try:
        state = os.lstat(path)
        if not stat.S_ISDIR(state.st_mode) or (hasattr(os, "getuid") and state.st_uid != os.getuid()):
            return False
        lock = os.path.join(path, _LOCK)
        if not os.path.lexists(lock):
            return time.time() - state.st_mtime > _YOUNG_SECONDS
        if fcntl is None:
            # An open file cannot be removed there.
            os.remove(lock)
            return True
        handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(handle)
        return True
    except OSError:
        # Locked, so somebody lives; or gone meanwhile.
        return False


def _usable(folder: str) -> bool:
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)
