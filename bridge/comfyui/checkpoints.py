"""Checkpoints that a node made: loaded by ComfyUI itself, as Load Checkpoint does."""

from __future__ import annotations

import os

from . import comfy
from .failures import LineageFailure

# What ComfyUI's loader gives, in its order.
_PARTS = ("MODEL", "CLIP", "VAE")


class Checkpoints:
    """The checkpoints of one result; each is loaded once, whatever number of its parts goes out."""

    def __init__(self):
        self._loaded: dict = {}

    def part(self, file: str, part: str):
        """
        :param file: absolute; one outside ComfyUI's output and model folders is refused.
        :param part: MODEL, CLIP or VAE; None where the file has no such part.
        """
        real = os.path.realpath(file)
        if not any(_is_within(real, folder) for folder in comfy.checkpoint_folders()):
            raise LineageFailure("bridge/value", f"expected a checkpoint in the folders of ComfyUI, got {file}")
        if real not in self._loaded:
            self._loaded[real] = comfy.load_checkpoint(real)
        return self._loaded[real][_PARTS.index(part)]


def _is_within(file: str, folder: str) -> bool:
    root = os.path.realpath(folder)
    try:
        return os.path.commonpath((root, file)) == root
    except ValueError:  # Another drive.
        return False
