"""What ComfyUI's SaveImage does with a picture, by Pillow: save_png.py ROUNDS SIDE FLOATS... prints JSON lines."""

import io
import json
import sys
import time

import numpy
from PIL import Image
from PIL.PngImagePlugin import PngInfo

rounds, side, *paths = sys.argv[1:]
for path in paths:
    image = numpy.fromfile(path, numpy.float32).reshape(int(side), int(side), 3)
    times = []
    for _ in range(int(rounds)):
        start = time.perf_counter()
        picture = Image.fromarray(numpy.clip(255.0 * image, 0, 255).astype(numpy.uint8))
        info = PngInfo()
        info.add_text("prompt", "{}")
        out = io.BytesIO()
        picture.save(out, "PNG", pnginfo=info, compress_level=4)
        times.append(time.perf_counter() - start)
    print(json.dumps({"milliseconds": 1000 * min(times), "bytes": len(out.getvalue())}))
