"""Tensors to raw files and back. torch and numpy are imported when the first picture comes."""

from __future__ import annotations

from .exchange import Exchange
from .failures import LineageFailure


def write_tensor(tensor, socket: str, exchange: Exchange) -> dict:
    """
    Writes a tensor of any device, type and layout as floats.

    :param socket: IMAGE is [batch, height, width, channels], or one picture without batch; MASK is
        [batch, height, width], or one without batch.
    """
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise LineageFailure("image/shape", f"expected a tensor, got {type(tensor).__name__}")
    shape = _shape_of(tensor, socket)
    # Lazy views (conjugates, negatives) and strides are resolved here; a tensor that fits already is not copied.
    plain = tensor.detach().to("cpu", torch.float32).resolve_conj().resolve_neg().contiguous()
    return exchange.write("float32", shape, plain.numpy())


def read_tensor(file: dict, socket: str, exchange: Exchange):
    """Floats of 0 to 1, in the shape of the socket; the caller owns them. Grey pictures become RGB."""
    import torch

    def make(kind: str, shape: tuple[int, ...]):
        if kind == "bytes" or (socket == "MASK" and shape[3] != 1):
            raise LineageFailure("image/shape", f"expected a {socket}, got {kind} {list(shape)}")
        return torch.empty(shape, dtype=torch.uint8 if kind == "uint8" else torch.float32).numpy()

    kind, _, array = exchange.read(file, make)
    tensor = torch.from_numpy(array)
    if kind == "uint8":
        tensor = tensor.to(torch.float32) / 255.0
    if socket == "MASK":
        return tensor.squeeze(-1)
    return tensor.expand(-1, -1, -1, 3).contiguous() if tensor.shape[-1] == 1 else tensor


def read_preview(file: dict, exchange: Exchange):
    """A PIL image of the first picture."""
    from PIL import Image

    tensor = read_tensor(file, "IMAGE", exchange)
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
