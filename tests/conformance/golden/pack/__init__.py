"""Two nodes that the recorded script needs and neither ComfyUI nor its testing pack has; ../nodes holds their twins."""
import time

import numpy
from PIL import Image

from comfy.utils import ProgressBar


class GoldenPreview:
    """Takes two steps, with time between to see the first and its picture."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"images": ("IMAGE",)}, "hidden": {"unique_id": "UNIQUE_ID"}}

    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True
    CATEGORY = "golden"

    def run(self, images, unique_id):
        picture = Image.fromarray((images[0].numpy() * 255).astype(numpy.uint8))
        progress = ProgressBar(2, node_id=unique_id)
        progress.update_absolute(1, 2, ("JPEG", picture, 512))
        time.sleep(0.3)
        progress.update_absolute(2, 2)
        time.sleep(0.1)
        return {"ui": {"text": ["done"]}}


class GoldenMenu:
    """A menu too long to be listed in an error."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"choice": ([f"word {index}" for index in range(25)],)}}

    RETURN_TYPES = ()
    FUNCTION = "run"
    OUTPUT_NODE = True
    CATEGORY = "golden"

    def run(self, choice):
        return {"ui": {"text": [choice]}}


NODE_CLASS_MAPPINGS = {"GoldenPreview": GoldenPreview, "GoldenMenu": GoldenMenu}
