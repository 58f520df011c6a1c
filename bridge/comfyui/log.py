"""Lines of ours in ComfyUI's log."""

from __future__ import annotations

import logging
import re

PREFIX = "[lineage]"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
# What a terminal would act upon: a workflow's text must not clear somebody's screen or forge a line.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_logger = logging.getLogger("lineage")


def write(level: str, text: str) -> None:
    """Writes each line with the prefix."""
    for line in text.split("\n"):
        _logger.log(_LEVELS.get(level, logging.INFO), "%s %s", PREFIX, _CONTROL.sub("\ufffd", line))
