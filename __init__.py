"""Lineage: ComfyUI nodes in TypeScript. This file is what ComfyUI loads; all it does is in bridge/comfyui."""

import os

from .bridge.comfyui.pack import Pack

_root = os.path.dirname(os.path.realpath(__file__))
_pack = Pack(_root)
_pack.add_routes()

if os.path.isdir(os.path.join(_root, "web", "dist", "comfyui")):
    WEB_DIRECTORY = "./web/dist/comfyui"

# Exactly one of the two: where both are there, ComfyUI takes the older.
try:
    from comfy_api.latest import ComfyExtension, io
except ImportError:
    NODE_CLASS_MAPPINGS = _pack.v1_classes()
    NODE_DISPLAY_NAME_MAPPINGS = _pack.titles()
else:

    class LineageExtension(ComfyExtension):
        async def get_node_list(self):
            return _pack.v3_classes(io)

    async def comfy_entrypoint():
        return LineageExtension()
