"""
The nodes of the tests as a pack of their own: link this folder into custom_nodes as `lineage_test`, with
LINEAGE_TEST_MANIFEST naming what write-manifest.ts printed. Its bridge is test-bridge.ts.
"""

import importlib.util
import os
import sys

_here = os.path.dirname(os.path.realpath(__file__))
_root = os.path.abspath(os.path.join(_here, "..", "..", "..", ".."))


def load_shim():
    """bridge/comfyui of this repository as a package, whatever the folder above is called."""
    name = "lineage_shim_of_tests"
    if name not in sys.modules:
        folder = os.path.join(_root, "bridge", "comfyui")
        spec = importlib.util.spec_from_loader(name, None, is_package=True)
        module = importlib.util.module_from_spec(spec)
        module.__path__ = [folder]
        sys.modules[name] = module
    return importlib.import_module(f"{name}.pack")


pack = load_shim().Pack(_root, os.environ["LINEAGE_TEST_MANIFEST"], os.path.join(_here, "..", "test-bridge.ts"))

try:
    from comfy_api.latest import ComfyExtension, io
except ImportError:
    NODE_CLASS_MAPPINGS = pack.v1_classes()
else:

    class TestExtension(ComfyExtension):
        async def get_node_list(self):
            return pack.v3_classes(io)

    async def comfy_entrypoint():
        return TestExtension()
