# /// script
# requires-python = ">=3.11"
# ///
"""Keeps what /object_info of a running ComfyUI says of the classes that nodes/builtin offers; no texts for people.

    python tests/builtin/record-object-info.py http://127.0.0.1:8188 fixtures/builtin/object-info.json

Recorded from ComfyUI 0.8.0 (618b803d) with an empty input folder.
"""
import json
import sys
import urllib.request

CLASSES = """
LoadImage LoadImageMask LoadImageOutput SaveImage PreviewImage MaskPreview
ImageScale ImageScaleBy ImageScaleToTotalPixels ImageScaleToMaxDimension
EmptyImage ImageInvert ImageCrop ImagePadForOutpaint GetImageSize
ImageBatch RebatchImages ImageFromBatch RepeatImageBatch
ImageToMask MaskToImage ImageColorToMask SolidMask InvertMask CropMask ThresholdMask MaskComposite
SplitImageWithAlpha JoinImageWithAlpha
PrimitiveString PrimitiveStringMultiline PrimitiveInt PrimitiveFloat PrimitiveBoolean
StringConcatenate StringSubstring StringLength CaseConverter StringTrim StringReplace StringContains StringCompare
RegexMatch RegexExtract RegexReplace ComfySwitchNode PreviewAny
""".split()
KEPT = ("input", "input_order", "output", "output_is_list", "output_name", "display_name", "category", "output_node",
        "deprecated", "experimental")

url, out_file = sys.argv[1:]
with urllib.request.urlopen(url + "/object_info") as answer:
    served = json.load(answer)


def without_texts(value):
    if isinstance(value, dict):
        return {key: without_texts(each) for key, each in value.items() if key != "tooltip"}
    if isinstance(value, list):
        return [without_texts(each) for each in value]
    return value


kept = {name: {key: without_texts(served[name][key]) for key in KEPT if key in served[name]} for name in CLASSES}
with open(out_file, "w", encoding="utf-8") as file:
    file.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(kept[name])}" for name in CLASSES) + "\n}\n")
