# /// script
# requires-python = ">=3.11"
# ///
"""Runs ComfyUI's own nodes on small inputs and writes what they give: fixtures/builtin/nodes.json.

    python tests/builtin/record-nodes.py PATH_TO_COMFYUI fixtures/builtin/nodes.json

Recorded with ComfyUI 0.8.0 (618b803d), Python 3.11.7, torch 2.13.0+cpu, Pillow 13.0.0, numpy 2.4.6.
Pictures of the inputs are made by a rule that tests/builtin/recorded-nodes.ts has too, so that only results are stored.
"""
import base64
import io
import json
import os
import sys
import tempfile
import time

comfyui, out_file = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
sys.argv = ["main.py", "--cpu"]
sys.path.insert(0, comfyui)
os.chdir(comfyui)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

import comfy.options  # noqa: E402
import utils.install_util  # noqa: E402, F401 (before a module of that name hides the package)

comfy.options.enable_args_parsing()
import folder_paths  # noqa: E402
import nodes  # noqa: E402
from comfy_extras import (  # noqa: E402
    nodes_compositing,
    nodes_images,
    nodes_mask,
    nodes_post_processing,
    nodes_preview_any,
    nodes_rebatch,
    nodes_string,
)

V3 = {
    "ImageCrop": nodes_images.ImageCrop,
    "ImageFromBatch": nodes_images.ImageFromBatch,
    "RepeatImageBatch": nodes_images.RepeatImageBatch,
    "ImageScaleToMaxDimension": nodes_images.ImageScaleToMaxDimension,
    "ImageScaleToTotalPixels": nodes_post_processing.ImageScaleToTotalPixels,
    "RebatchImages": nodes_rebatch.ImageRebatch,
    "SplitImageWithAlpha": nodes_compositing.SplitImageWithAlpha,
    "JoinImageWithAlpha": nodes_compositing.JoinImageWithAlpha,
    **{name: getattr(nodes_mask, name) for name in (
        "ImageToMask", "MaskToImage", "ImageColorToMask", "SolidMask", "InvertMask", "CropMask", "ThresholdMask",
        "MaskComposite")},
    **{name: getattr(nodes_string, name) for name in (
        "StringConcatenate", "StringSubstring", "StringLength", "CaseConverter", "StringTrim", "StringReplace",
        "StringContains", "StringCompare", "RegexMatch", "RegexExtract", "RegexReplace")},
}
V1 = {name: nodes.NODE_CLASS_MAPPINGS[name] for name in (
    "ImageScale", "ImageScaleBy", "ImageInvert", "ImageBatch", "EmptyImage", "ImagePadForOutpaint")}
V1["PreviewAny"] = nodes_preview_any.PreviewAny


def picture(kind, *shape, seed=0):
    """bytes: loaded from a file; floats: with values outside of 0 to 1 too; quarters: 0 to 1. Masks have no last axis."""
    return {"picture": kind, "shape": list(shape), "seed": seed}


def tensor(value):
    if isinstance(value, list):
        return [tensor(each) for each in value]
    if not isinstance(value, dict) or "picture" not in value:
        return value
    count = int(np.prod(value["shape"]))
    i = np.arange(count, dtype=np.int64) + value["seed"]
    if value["picture"] == "bytes":
        flat = ((i * 37 + (i // 5) * 11) % 256).astype(np.uint8).astype(np.float32) / 255.0
    elif value["picture"] == "quarters":
        flat = i % 5 / 4
    else:
        flat = ((i * 7919 % 1009).astype(np.float64) / 800 - 0.1).astype(np.float32)
    return torch.from_numpy(flat.astype(np.float32).reshape(value["shape"]))


def plain(value):
    if isinstance(value, torch.Tensor):
        flat = value.contiguous().reshape(-1).numpy().astype(np.float64)
        return {"shape": list(value.shape), "data": [float(f"{x:.9g}") for x in flat]}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def run(name, inputs):
    given = {key: tensor(value) for key, value in inputs.items()}
    try:
        if name in V3:
            return {"outputs": plain(V3[name].execute(**given).result)}
        made = getattr(V1[name](), V1[name].FUNCTION)(**given)
        return {"ui": plain(made["ui"])} if isinstance(made, dict) else {"outputs": plain(made)}
    except Exception as error:
        return {"fails": type(error).__name__}


whole_resize = Image.Image.resize


def resize_across_first(image, size, resample=None, *args, **kwargs):
    """Every Pillow before 13 goes across, then down; 13 takes the other order where that is less work."""
    if image.mode != "RGB":
        return whole_resize(image, size, resample, *args, **kwargs)
    across = whole_resize(image, (size[0], image.height), resample)
    return whole_resize(across, size, resample)


Image.Image.resize = resize_across_first

B, F = "bytes", "floats"
cases = []


def case(name, **inputs):
    cases.append((name, inputs))


for method in ("nearest-exact", "bilinear", "area", "bicubic", "lanczos"):
    for kind, shape, sizes in (
        (B, (1, 5, 7, 3), ((3, 4), (7, 5), (11, 9), (1, 1), (14, 10))),
        (F, (1, 6, 4, 3), ((9, 3), (2, 13))),
        (B, (1, 4, 5, 4), ((3, 3), (8, 7), (5, 9))),
        (F, (2, 3, 5, 3), ((4, 4),)),
    ):
        for width, height in sizes:
            case("ImageScale", image=picture(kind, *shape), upscale_method=method, width=width, height=height, crop="disabled")
    case("ImageScale", image=picture(B, 1, 6, 9, 3), upscale_method=method, width=4, height=4, crop="center")
    case("ImageScale", image=picture(F, 1, 9, 5, 3), upscale_method=method, width=6, height=4, crop="center")
    case("ImageScaleBy", image=picture(B, 1, 5, 5, 3), upscale_method=method, scale_by=0.5)
    case("ImageScaleBy", image=picture(B, 1, 3, 5, 3), upscale_method=method, scale_by=1.5)
# Long lines: positions of torch are computed in single precision.
for method in ("nearest-exact", "bilinear", "bicubic", "area"):
    case("ImageScale", image=picture(B, 1, 1, 1000, 3), upscale_method=method, width=37, height=1, crop="disabled")
    case("ImageScale", image=picture(B, 1, 401, 1, 3), upscale_method=method, width=1, height=60, crop="disabled")
case("ImageScale", image=picture(B, 1, 5, 7, 3), upscale_method="area", width=0, height=0, crop="disabled")
case("ImageScale", image=picture(B, 1, 5, 7, 3), upscale_method="area", width=3, height=0, crop="disabled")
case("ImageScale", image=picture(B, 1, 5, 7, 3), upscale_method="area", width=0, height=3, crop="center")
case("ImageScaleBy", image=picture(B, 1, 5, 7, 3), upscale_method="area", scale_by=0.01)
case("ImageScale", image=picture(B, 1, 1, 100, 3), upscale_method="area", width=1, height=100, crop="center")
case("ImageScaleToMaxDimension", image=picture(B, 1, 5, 7, 3), upscale_method="bilinear", largest_size=4)
case("ImageScaleToMaxDimension", image=picture(B, 1, 7, 5, 3), upscale_method="area", largest_size=3)
case("ImageScaleToMaxDimension", image=picture(B, 1, 4, 4, 3), upscale_method="nearest-exact", largest_size=6)
case("ImageScaleToTotalPixels", image=picture(B, 1, 2, 3, 3), upscale_method="nearest-exact", megapixels=0.00005, resolution_steps=1)
case("ImageScaleToTotalPixels", image=picture(B, 1, 2, 3, 3), upscale_method="nearest-exact", megapixels=0.0002, resolution_steps=8)
case("ImageInvert", image=picture(B, 1, 3, 2, 3))
case("ImageInvert", image=picture(F, 1, 2, 2, 4))
for place in ((0, 0), (2, 1), (50, 50)):
    case("ImageCrop", image=picture(B, 1, 4, 5, 3), width=3, height=2, x=place[0], y=place[1])
case("EmptyImage", width=3, height=2, batch_size=2, color=0x12FF80)
case("ImageBatch", image1=picture(B, 1, 3, 4, 3), image2=picture(F, 2, 3, 4, 3))
case("ImageBatch", image1=picture(B, 1, 3, 4, 4), image2=picture(B, 1, 3, 4, 3))
case("ImageBatch", image1=picture(B, 1, 3, 4, 3), image2=picture(B, 1, 6, 5, 3))
case("ImageBatch", image1=picture(B, 1, 3, 4, 3), image2=picture(B, 1, 6, 5, 4))
case("RebatchImages", images=[picture(B, 2, 2, 2, 3), picture(F, 3, 2, 2, 3)], batch_size=[2])
case("ImageFromBatch", image=picture(B, 4, 1, 2, 3), batch_index=1, length=2)
case("ImageFromBatch", image=picture(B, 4, 1, 2, 3), batch_index=3, length=9)
case("ImageFromBatch", image=picture(B, 4, 1, 2, 3), batch_index=30, length=9)
case("RepeatImageBatch", image=picture(B, 2, 1, 2, 3), amount=2)
case("ImagePadForOutpaint", image=picture(B, 1, 7, 9, 3), left=2, top=0, right=1, bottom=3, feathering=3)
case("ImagePadForOutpaint", image=picture(F, 1, 3, 3, 3), left=1, top=1, right=0, bottom=0, feathering=40)
for channel in ("red", "green", "blue", "alpha"):
    case("ImageToMask", image=picture(B, 1, 2, 3, 4), channel=channel)
case("ImageToMask", image=picture(B, 1, 2, 3, 3), channel="alpha")
case("MaskToImage", mask=picture(F, 2, 2, 3))
case("ImageColorToMask", image=picture(B, 1, 2, 3, 3), color=0x00254A)
case("ImageColorToMask", image=picture(F, 1, 2, 3, 3), color=0x00FF00)
case("ImageColorToMask", image=picture("quarters", 1, 2, 3, 3), color=0x004080)
case("MaskComposite", destination=picture("quarters", 1, 3, 5), source=picture("quarters", 1, 3, 4), x=0, y=0, operation="xor")
case("SolidMask", value=0.3, width=3, height=2)
case("InvertMask", mask=picture(F, 1, 2, 3))
case("CropMask", mask=picture(F, 2, 4, 5), x=1, y=2, width=3, height=9)
case("ThresholdMask", mask=picture(B, 1, 4, 5), value=0.5)
for operation in ("multiply", "add", "subtract", "and", "or", "xor"):
    case("MaskComposite", destination=picture(F, 1, 4, 5), source=picture(B, 1, 3, 3, seed=7), x=1, y=2, operation=operation)
case("MaskComposite", destination=picture(F, 2, 3, 3), source=picture(F, 1, 2, 2, seed=5), x=0, y=0, operation="add")
case("SplitImageWithAlpha", image=picture(B, 1, 2, 3, 4))
case("SplitImageWithAlpha", image=picture(B, 1, 2, 3, 3))
case("JoinImageWithAlpha", image=picture(B, 2, 4, 3, 3), alpha=picture(F, 1, 2, 2))
case("JoinImageWithAlpha", image=picture(B, 1, 2, 3, 4), alpha=picture(B, 2, 2, 3))

TEXTS = ("", "  Ein Wort\u00a0\n", "stra\u00dfe O'NEILL x\u01c6y", "\u03a3\u0391\u03a3 a.b-c 3d \ufb01n", "\x1f\x1d\U0001F600 smile\u3000\x1e\x85\x1c", "\u0130stanbul \u10d0\u10d1")
for text in TEXTS:
    case("StringConcatenate", string_a=text, string_b="b", delimiter="-")
    case("StringLength", string=text)
    for start, end in ((0, 3), (-3, 100), (2, -1), (5, 2)):
        case("StringSubstring", string=text, start=start, end=end)
    for mode in ("UPPERCASE", "lowercase", "Capitalize", "Title Case"):
        case("CaseConverter", string=text, mode=mode)
    for mode in ("Both", "Left", "Right"):
        case("StringTrim", string=text, mode=mode)
    for find, by in (("", "|"), ("t", "$&"), ("zz", "")):
        case("StringReplace", string=text, find=find, replace=by)
for sensitive in (True, False):
    case("StringContains", string="One Two", substring="two", case_sensitive=sensitive)
    for mode in ("Starts With", "Ends With", "Equal"):
        for other in ("One", "TWO", "one two"):
            case("StringCompare", string_a="One Two", string_b=other, mode=mode, case_sensitive=sensitive)

SUBJECTS = ("", "a1 b22\nC333 _x\u00e9\r\nend\n", "foo=bar; foo=\u0661\u0662", "x{2} [y] (z) -/\\ $5.00 \U0001F600")
PATTERNS = (
    r"\w+", r"\d+", r"\s", r"\S+", r"\W+", r"\D", r"\bfoo\b", r"\Ba", r"^\w", r"\w$", r"$", r"^", r".", r".+", r"\Aa", r"\n\Z",
    r"[a-c\d]+", r"[^\w\s]+", r"[]x]", r"[^]x]+", r"[\W]", r"[^\W\d]+", r"[-a]", r"[a-]", r"[\]\\]", r"[\b]", r"[&&a]", r"[a--b]",
    r"(\w)(\d*)", r"(?P<key>\w+)=(?P<value>\w+)", r"(?P<c>\w)(?P=c)", r"(\w)\1", r"(?:a|b)+?", r"(?i:FOO)", r"(?i)C", r"(?s).+", r"(?m)^\w+$",
    r"x{2}", r"x\{2}", r"\d{2}", r"\d{,2}", r"\d{2,}", r"\d{1,2}?", r"a{", r"{", r"}", r"]", r"a{b}", r"(?=b)", r"(?!b)\w", r"(?<=b)\d", r"(?<!b)\d",
    r"(?#note)a", r"\x61", r"\u0061", r"\141", r"\0", r"\-\/\ \'", r"\$\d\.\d\d", r"a*", r"(a)|b", r"\.",
    r"(", r")", r"[", r"a**", r"*a", r"\q", r"(?P<1>a)", r"(?<n>a)", r"(?P=nope)", r"\9", r"[b-a]", r"a{2,1}", "\\", r"(?z)a", r"[a-\d]",
    "\U0001F600", r"[\U0001F600]", "\\U0001F600", r"a|", r"()", r"(?i)É", "\t|\n",
)
for pattern in PATTERNS:
    for index, subject in enumerate(SUBJECTS):
        flags = {"case_insensitive": index % 2 == 1, "multiline": index == 1, "dotall": index == 3}
        case("RegexMatch", string=subject, regex_pattern=pattern, **flags)
        for mode in ("First Match", "All Matches", "First Group", "All Groups"):
            case("RegexExtract", string=subject, regex_pattern=pattern, mode=mode, group_index=index % 3, **flags)
        case("RegexReplace", string=subject, regex_pattern=pattern, replace="<\\g<0>>", count=index % 2 * 2, **flags)
for template in (r"\1", r"\g<1>", r"\g<v>-\2", r"\n\t\\", r"\&\$$1", r"\0", r"\101", r"\3", r"\g<nope>", r"\q", "\\", r"\g<", r"\x41"):
    case("RegexReplace", string="ab=12;cd=34", regex_pattern=r"(\w+?)(?P<v>\d+)?=", replace=template)
for value in (None, True, "text", 7, [1, "\u00e9", [True, None]], {"a": {"b": 2}}):
    case("PreviewAny", source=value)

recorded = [{"node": name, "inputs": inputs, **run(name, inputs)} for name, inputs in cases]


def saved_names():
    names = []
    moment = time.struct_time((2026, 3, 4, 5, 6, 7, 2, 63, 0))
    real = time.localtime
    time.localtime = lambda: moment
    try:
        for prefix in ("ComfyUI", "%year%-%month%-%day%/%hour%%minute%%second%_%width%x%height%", "a/b%width%/c", "%date:yyyy% %Year%", "50%", "%%width%%", "a\\b%batch_num%"):
            with tempfile.TemporaryDirectory() as folder:
                folder = os.path.realpath(folder)
                _, filename, _, subfolder, _ = folder_paths.get_save_image_path(prefix, folder, 640, 480)
                names.append({"prefix": prefix, "path": f"{subfolder}/{filename}".lstrip("/").replace("%batch_num%", "3")})
    finally:
        time.localtime = real
    return names


def load_cases():
    grey = np.array([[0, 60, 120], [180, 240, 255]], dtype=np.uint8)
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14
    alpha = np.concatenate([rgb, grey[..., None]], axis=2)
    grey_alpha = np.stack([grey, 255 - grey], axis=2)
    palette = Image.fromarray(rgb).convert("P", palette=Image.Palette.ADAPTIVE, colors=6)
    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    turned = Image.Exif()
    turned[0x0112] = 6
    files = [
        ("grey.png", Image.fromarray(grey), {}),
        ("one-bit.png", Image.fromarray(grey).convert("1"), {}),
        ("grey-alpha.png", Image.fromarray(grey_alpha, "LA"), {}),
        ("rgb.png", Image.fromarray(rgb), {}),
        ("rgb-one-transparent.png", Image.fromarray(rgb), {"transparency": (0, 14, 28)}),
        ("rgba.png", Image.fromarray(alpha), {}),
        ("palette.png", palette, {}),
        ("palette-transparent.png", palette, {"transparency": 0}),
        ("turned.png", Image.fromarray(rgb), {"exif": turned}),
        ("turned-alpha.webp", Image.fromarray(alpha), {"exif": turned, "lossless": True, "exact": True}),
        ("animated.webp", frames[0], {"save_all": True, "append_images": frames[1:], "lossless": True, "exact": True}),
    ]
    loaded = []
    with tempfile.TemporaryDirectory() as folder:
        folder_paths.set_input_directory(folder)
        for name, image, options in files:
            held = io.BytesIO()
            image.save(held, name.rsplit(".", 1)[1].upper(), **options)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(held.getvalue())
            masks = {channel: plain(nodes.LoadImageMask().load_image(name, channel)[0]) for channel in ("alpha", "red")}
            loaded.append({
                "name": name,
                "base64": base64.b64encode(held.getvalue()).decode(),
                "fingerprint": nodes.LoadImage.IS_CHANGED(name),
                "outputs": plain(nodes.LoadImage().load_image(name)),
                "masks": masks,
            })
    return loaded


halves = np.linspace(-0.01, 1.01, 2049, dtype=np.float32)
inverted = np.float32(1) - np.arange(256, dtype=np.uint8).astype(np.float32) / 255.0
truncated = [
    np.clip(255.0 * values, 0, 255).astype(np.uint8).tolist() for values in (halves, inverted)
]
with open(out_file, "w", encoding="utf-8") as file:
    file.write('{\n"cases": [\n')
    file.write(",\n".join(json.dumps(each, separators=(",", ":")) for each in recorded))
    file.write('\n],\n"names": ' + json.dumps(saved_names()) + ',\n"loaded": [\n')
    file.write(",\n".join(json.dumps(each, separators=(",", ":")) for each in load_cases()))
    file.write('\n],\n"truncated": ' + json.dumps(truncated, separators=(",", ":")) + "\n}\n")
