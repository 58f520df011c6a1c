"""Values on their way to the bridge and back: pixels as raw files, plain data as it is, all else as a handle."""

from __future__ import annotations

import json
import math

from .checkpoints import Checkpoints
from .connection import Call
from .failures import LineageFailure
from .pixels import read_tensor, write_tensor

_PICTURES = ("IMAGE", "MASK")
_DYNAMIC = "COMFY_DYNAMICCOMBO_V3"
_PLAIN = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", _DYNAMIC)
# Values of these sockets are ours, and plain data.
_OURS = "LINEAGE_"


def pack_input(declared: dict, value, call: Call, objects: list) -> dict:
    """
    Packs one value.

    :param declared: the input in the manifest; a type that is a list is an old menu.
    :param objects: gets the object that a handle stands for.
    """
    socket = declared["type"]
    if socket in _PICTURES:
        file = write_tensor(value, socket, call.exchange, declared.get("samples", "float32"))
        return {"kind": "pixels", "file": call.own(file)}
    value = _plain_scalar(value)
    if socket == _DYNAMIC and isinstance(value, dict):
        value = {name: _plain_scalar(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"kind": "float", "text": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if value is None or isinstance(value, (str, int, float, bool)):
        return {"kind": "json", "value": value}
    if not isinstance(socket, str) or socket in _PLAIN or socket.startswith(_OURS):
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise LineageFailure("bridge/value", f"expected plain data, got: {error}", where={"input": declared["name"]}) from error
        return {"kind": "json", "value": value}
    objects.append(value)
    return {"kind": "handle", "id": len(objects) - 1, "type": socket}


def unpack_output(output: dict, socket: str, inputs: dict, objects: list, call: Call, checkpoints: Checkpoints):
    """
    The value that a node hands on. Files of the bridge are read and given back.

    :param checkpoints: those that this result names, each loaded once.
    """
    kind = output["kind"]
    if kind == "same":
        return inputs[output["input"]]
    if kind == "handle":
        return objects[output["id"]]
    if kind == "checkpoint":
        return checkpoints.part(output["file"], output["part"])
    if kind == "pixels":
        return read_tensor(output["file"], socket, call.exchange, call.connection.taker(output["file"]))
    value = float(output["text"]) if kind == "float" else output["value"]
    if value is not None and socket == "FLOAT":
        return float(value)
    return value


def is_large(value) -> bool:
    """Whether writing it takes so long that other nodes should run meanwhile."""
    return getattr(value, "nbytes", 0) > 1 << 20


def _plain_scalar(value):
    """numpy's numbers become Python's; a tensor stays what it is."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()
    return value
