"""Peers of the merge bench: peers.py PEER THREADS ALPHA OUT A B. Ends with 3 where the peer is not installed."""

import sys

peer, threads, alpha, out, a, b = sys.argv[1:]
threads, alpha = int(threads), float(alpha)


def stream():
    """torch.lerp tensor by tensor, written as it goes: what a careful script does."""
    import json
    import struct

    import torch
    from safetensors import safe_open

    torch.set_num_threads(threads)
    with open(a, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        head = file.read(length)
    order = sorted(
        (entry["data_offsets"][0], name) for name, entry in json.loads(head).items() if name != "__metadata__"
    )
    with safe_open(a, "pt") as first, safe_open(b, "pt") as second, open(out, "wb") as file:
        file.write(struct.pack("<Q", length) + head)
        for _, name in order:
            merged = torch.lerp(first.get_tensor(name), second.get_tensor(name), alpha)
            file.write(merged.contiguous().view(torch.uint8).numpy().data)


def load():
    """Everything in memory, as the usual interfaces do."""
    import torch
    from safetensors.torch import load_file, save_file

    torch.set_num_threads(threads)
    first, second = load_file(a), load_file(b)
    save_file({name: torch.lerp(tensor, second[name], alpha) for name, tensor in first.items()}, out)


def mecha():
    import sd_mecha
    import torch

    torch.set_num_threads(threads)
    recipe = sd_mecha.weighted_sum(sd_mecha.model(a), sd_mecha.model(b), alpha=alpha)
    sd_mecha.merge(
        recipe,
        output=out,
        threads=threads,
        merge_device="cpu",
        merge_dtype=torch.float32,
        output_dtype=torch.float16,
    )


def mergekit():
    import tempfile
    from pathlib import Path

    import torch
    import yaml
    from click.testing import CliRunner
    from mergekit.scripts.merge_raw_pytorch import main

    torch.set_num_threads(threads)
    weights = [(a, 1 - alpha), (b, alpha)]
    config = {
        "merge_method": "linear",
        "dtype": "float16",
        "models": [{"model": path, "parameters": {"weight": weight}} for path, weight in weights],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yml"
        path.write_text(yaml.safe_dump(config))
        result = CliRunner().invoke(main, [str(path), out + ".folder", "--safe-serialization"])
    if result.exception:
        raise result.exception


try:
    {"stream": stream, "load": load, "mecha": mecha, "mergekit": mergekit}[peer]()
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)
