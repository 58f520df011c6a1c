"""Reads pictures with Pillow and prints what it gives, undecoded where Pillow does not decode.

Takes file names on standard input, one a line; prints one JSON list in the same order.
"""

import json
import sys

from PIL import ExifTags, Image, PngImagePlugin

# Pillow's own guard against text bombs; the longest text of the tests is longer.
PngImagePlugin.MAX_TEXT_CHUNK = 64 * 1024 * 1024
PngImagePlugin.MAX_TEXT_MEMORY = 64 * 1024 * 1024


def read(file):
    with Image.open(file) as image:
        image.load()
        exif = image.getexif()
        tags = exif.get_ifd(ExifTags.IFD.Exif)
        comment = tags.get(ExifTags.Base.UserComment)
        xmp = image.info.get("xmp")
        jpeg_comment = image.info.get("comment")
        return {
            "texts": {key: str(value) for key, value in getattr(image, "text", {}).items()},
            "ifd0": {str(tag): value for tag, value in exif.items() if isinstance(value, str)},
            "userComment": None if comment is None else comment.hex(),
            "comment": None if jpeg_comment is None else jpeg_comment.hex(),
            "xmp": None if xmp is None else xmp.hex(),
            "exif": image.info.get("exif", b"").hex(),
        }


json.dump([read(line.rstrip("\n")) for line in sys.stdin], sys.stdout)
