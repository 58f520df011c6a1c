"""
What can go wrong on this side. Codes are promises, like those of the nodes; they and what the reader should do next are
written in nodes/kit/errors.ts, and come by the manifest.
"""

from __future__ import annotations

_hints: dict[str, str] = {}


def learn_hints(hints: dict[str, str]) -> None:
    """:param hints: `hints` of a manifest: what to do next, by code."""
    _hints.update(hints)


class LineageFailure(Exception):
    """An expected failure. ComfyUI shows its text on the node."""

    def __init__(self, code: str, message: str, hint: str | None = None, where: dict | None = None):
        self.code = code
        self.message = message
        self.hint = _hints.get(code, "") if hint is None else hint
        self.where = where or {}
        places = ", ".join(f"{key} {value}" for key, value in self.where.items() if value not in (None, ""))
        lines = [f"[{code}] {message}" + (f" ({places})" if places else "")]
        if self.hint:
            lines.append(f"What to do: {self.hint}")
        super().__init__("\n".join(lines))
