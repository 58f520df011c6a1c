"""
Nodes for `npm run bench:hosts`, copied into custom_nodes for the run: Python ones, and beside them ours, which run in a
bridge of their own (bench-bridge.ts).
"""

import importlib
import importlib.util
import os
import sys

import torch

_ROOT = os.environ["LINEAGE_BENCH_ROOT"]
_MANIFEST = os.environ["LINEAGE_BENCH_MANIFEST"]
_spec = importlib.machinery.ModuleSpec("lineage_bench", None, is_package=True)
_spec.submodule_search_locations = [os.path.join(_ROOT, "bridge", "comfyui")]
sys.modules["lineage_bench"] = importlib.util.module_from_spec(_spec)
Pack = importlib.import_module("lineage_bench.pack").Pack


class Start:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"salt": ("STRING", {})}}

    RETURN_TYPES = ("*",)
    FUNCTION = "run"
    CATEGORY = "bench"

    def run(self, salt):
        return (salt,)


class Empty:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("*",), "salt": ("STRING", {})}}

    RETURN_TYPES = ("*",)
    FUNCTION = "run"
    CATEGORY = "bench"

    def run(self, value, salt):
        return (value,)


class Copy:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",), "salt": ("STRING", {})}}

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "bench"

    def run(self, image, salt):
        return (image.clone(),)


class Photos:
    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {
                "count": ("INT", {"default": 1}),
                "side": ("INT", {"default": 1024}),
                "seed": ("INT", {"default": 0}),
            }
        }

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "bench"

    def run(self, count, side, seed):
        random = torch.Generator().manual_seed(seed)
        smooth = torch.rand((count, 3, 16, 16), generator=random)
        smooth = torch.nn.functional.interpolate(smooth, size=(side, side), mode="bicubic")
        grain = torch.randn((count, 3, side, side), generator=random) * 0.01
        return ((smooth + grain).clamp(0, 1).movedim(1, -1).contiguous(),)


class End:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("*",)}}

    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "bench"

    def run(self, value):
        return {"ui": {"text": ["done"]}}


NODE_CLASS_MAPPINGS = {
    "BenchStart": Start,
    "BenchEmpty": Empty,
    "BenchCopy": Copy,
    "BenchPhotos": Photos,
    "BenchEnd": End,
}

NODE_CLASS_MAPPINGS.update(
    Pack(_ROOT, _MANIFEST, os.path.join(_ROOT, "tests", "bench", "hosts", "bench-bridge.ts")).v1_classes()
)
