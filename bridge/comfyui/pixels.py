"""Tensors to raw files and back. torch and numpy are imported when the first picture comes."""

from __future__ import annotations

from .exchange import Exchange
from .failures import LineageFailure

# Rows that are cut down at a time, in memory that is used again: fresh memory for each picture takes half as long again
# (eight of 1024x1024: 48 ms and 30 ms), and shorter strips longer still (64 rows: 60 ms; threads wait for each other).
_STRIP_ROWS = 1024


def write_tensor(tensor, socket: str, exchange: Exchange, samples: str = "float32") -> dict:
    """
    Writes a tensor of any device, type and layout.

    :param socket: IMAGE is [batch, height, width, channels], or one picture without batch; MASK is
        [batch, height, width], or one without batch.
    :param samples: `uint8` cuts floats of 0 to 1 down to bytes, as ComfyUI does when it saves a picture.
    """
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise LineageFailure("image/shape", f"expected a tensor, got {type(tensor).__name__}")
    shape = _shape_of(tensor, socket)
    source = tensor.detach().reshape(shape)

    def fill(elements: memoryview) -> None:
        target = torch.frombuffer(elements, dtype=getattr(torch, samples)).view(shape)
        if samples == "float32":
            target.copy_(source)
            return
        rows = source.flatten(0, 1)
        scaled = torch.empty((_STRIP_ROWS, *shape[2:]), dtype=torch.float32)
        for into, strip in zip(target.flatten(0, 1).split(_STRIP_ROWS), rows.split(_STRIP_ROWS)):
            floats = scaled[: len(strip)].copy_(strip).mul_(255)
            into.copy_(floats.nan_to_num_(nan=0, posinf=255, neginf=0).clamp_(0, 255))

    return exchange.write(samples, shape, fill)


def read_tensor(file: dict, socket: str, exchange: Exchange, taken):
    """
    Floats of 0 to 1, in the shape of the socket; the caller owns them. Grey pictures become RGB.

    :param taken: see `Exchange.read`.
    """
    import torch

    kind, shape, elements = exchange.read(file, taken)
    if kind == "bytes" or (socket == "MASK" and shape[3] != 1):
        raise LineageFailure("image/shape", f"expected a {socket}, got {kind} {list(shape)}")
    tensor = torch.frombuffer(elements, dtype=torch.uint8 if kind == "uint8" else torch.float32).view(shape)
    if kind == "uint8":
        tensor = tensor.to(torch.float32) / 255.0
    if socket == "MASK":
        return tensor.squeeze(-1)
    return tensor.expand(-1, -1, -1, 3).contiguous() if tensor.shape[-1] == 1 else tensor


def read_preview(file: dict, exchange: Exchange, taken):
    """A PIL image of the first picture; `taken` as for `read_tensor`."""
    from PIL import Image

    tensor = read_tensor(file, "IMAGE", exchange, taken)
    return Image.fromarray((tensor[0, :, :, :3].clamp(0, 1) * 255).byte().numpy())


def _shape_of(tensor, socket: str) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    if socket == "MASK":
        if len(shape) == 2:
            shape = (1, *shape)
        elif len(shape) == 4 and shape[1] == 1:
            # Some packs hand masks on as [batch, 1, height, width].
            shape = (shape[0], *shape[2:])
        shape = (*shape, 1)
    elif len(shape) == 3:
        shape = (1, *shape)
    if len(shape) != 4 or 0 in shape or shape[3] not in (1, 3, 4) or tensor.is_complex():
        raise LineageFailure("image/shape", f"expected an {socket}, got a tensor of shape {list(tensor.shape)}")
    return shape
