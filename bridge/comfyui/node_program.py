"""Finds Node.js on this machine. A missing or old one is an ordinary state, and nothing is ever installed."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
import sys

from .failures import LineageFailure

NEEDED = 24
_ASK_SECONDS = 15
_EXE = "node.exe" if sys.platform == "win32" else "node"


def find_node(root: str, home: str, environment: dict[str, str]) -> str:
    """
    The first program of version 24 or newer, in this order: `LINEAGE_NODE`, the machine owner's settings, the pack's own
    node_modules, PATH, the places where installers put it. One that is named on purpose is taken or refused, never
    passed over.
    """
    for name, program in (
        ("LINEAGE_NODE", environment.get("LINEAGE_NODE")),
        (settings_file(home), _from_settings(home)),
    ):
        if program:
            return _check_named(name, program)
    seen: dict[str, str] = {}
    for program in _candidates(root, environment):
        real = os.path.realpath(program)
        if real in seen or not os.path.isfile(real):
            continue
        version = ask_version(program)
        if version is not None and version[0] >= NEEDED:
            return program
        seen[real] = "no answer" if version is None else ".".join(map(str, version))
    if not seen:
        raise LineageFailure("bridge/node-missing", f"expected Node.js {NEEDED} or newer, found none")
    found = ", ".join(f"{path} ({version})" for path, version in seen.items())
    raise LineageFailure("bridge/node-old", f"expected Node.js {NEEDED} or newer, found {found}")


def settings_file(home: str) -> str:
    """
    `{"node": "/path/to/node"}`. It lies where no route of ComfyUI writes: a setting of the front end could be changed by
    whoever reaches the port, and must not name a program.
    """
    return os.path.join(home, "settings.json")


def ask_version(program: str) -> tuple[int, int, int] | None:
    """What `node --version` says; None where it is something else or does not start."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_ASK_SECONDS,
            env=minimal_environment(os.environ),
            **no_window(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(rb"^v(\d+)\.(\d+)\.(\d+)", answer.stdout)
    return None if match is None else tuple(int(part) for part in match.groups())


_OURS = (
    "LINEAGE_NO_LORA_SUMMARY LINEAGE_NO_HASH_DETAIL LINEAGE_HASH_LOG_MODE LINEAGE_DEBUG_PROMPTS "
    "LINEAGE_JPEG_EXIF_HARD_MAX_KB LINEAGE_JPEG_EXIF_SEGMENT_LIMIT LINEAGE_FORCE_REHASH"
).split()
_KEPT = "HOME USERPROFILE TZ LANG LC_ALL LC_TIME TMPDIR TEMP TMP SYSTEMROOT SystemRoot WINDIR".split()


def minimal_environment(environment) -> dict[str, str]:
    """What the bridge needs to know of the machine: no keys and tokens of others, no NODE_OPTIONS, no PATH."""
    return {key: environment[key] for key in [*_KEPT, *_OURS] if key in environment}


def no_window() -> dict:
    """No console window flashes up on Windows."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}


def _from_settings(home: str) -> str | None:
    path = settings_file(home)
    try:
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LineageFailure("bridge/node-setting", f"expected JSON in {path}, got: {error}") from error
    node = settings.get("node") if isinstance(settings, dict) else None
    if node is None or isinstance(node, str):
        return node
    raise LineageFailure("bridge/node-setting", f'expected {{"node": "/path/to/node"}} in {path}, got {node!r}')


def _check_named(name: str, program: str) -> str:
    version = ask_version(program)
    if version is None:
        raise LineageFailure("bridge/node-setting", f"expected Node.js at {program}, which {name} names; it does not start")
    if version[0] < NEEDED:
        found = ".".join(map(str, version))
        raise LineageFailure("bridge/node-old", f"expected Node.js {NEEDED} or newer, got {found} at {program}, which {name} names")
    return program


def _candidates(root: str, environment: dict[str, str]) -> list[str]:
    home = os.path.expanduser("~")
    own = [
        os.path.join(root, "node_modules", ".bin", "node"),
        os.path.join(root, "node_modules", "node", "bin", _EXE),
    ]
    on_path = shutil.which("node", path=environment.get("PATH"))
    if sys.platform == "win32":
        known = [
            os.path.join(environment.get(folder, ""), "nodejs", _EXE)
            for folder in ("ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA")
        ]
    else:
        known = [f"/{place}/bin/node" for place in ("usr/local", "opt/homebrew", "usr", "opt/node", "snap")]
    versions = [
        os.path.join(home, ".nvm", "versions", "node", "*", "bin", "node"),
        os.path.join(home, ".local", "share", "fnm", "node-versions", "*", "installation", "bin", "node"),
        os.path.join(home, ".volta", "tools", "image", "node", "*", "bin", "node"),
        os.path.join(home, ".asdf", "installs", "nodejs", "*", "bin", "node"),
    ]
    managed = [path for pattern in versions for path in sorted(glob.glob(pattern), key=_version_in, reverse=True)]
    return [*own, *([on_path] if on_path else []), *known, *managed]


def _version_in(path: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", os.path.dirname(os.path.dirname(path)))[-3:]]
