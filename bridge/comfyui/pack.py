"""The pack as ComfyUI loads it: reads the manifest, makes the classes, adds the routes. No process and no network."""

from __future__ import annotations

import json
import os

from . import failures, nodes, routes
from .link import Link

_MANIFEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "manifest.gen.json")


class Pack:
    """
    :param root: the folder of the pack.
    :param manifest: another one than the pack's own, with `entry`, the program that knows its nodes (tests).
    """

    def __init__(self, root: str, manifest: str = _MANIFEST, entry: str | None = None):
        with open(manifest, encoding="utf-8") as file:
            read = json.load(file)
        failures.learn_hints(read.get("hints", {}))
        self._entries = read["nodes"]
        self.link = Link(root, (read["protocol"], read["version"]), entry)

    def add_routes(self) -> None:
        routes.register(self.link)

    def v3_classes(self, io) -> list:
        """:param io: `comfy_api.latest.io`"""
        return [nodes.make_v3_class(entry, self.link, io) for entry in self._entries]

    def v1_classes(self) -> dict:
        return {entry["id"]: nodes.make_v1_class(entry, self.link) for entry in self._entries}

    def titles(self) -> dict:
        return {entry["id"]: entry["title"] for entry in self._entries}
