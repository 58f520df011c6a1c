"""Stands where main.py is expected: runs real ComfyUI behind a door that is open from the first moment.

The suite gives a server 20 seconds; real ComfyUI on a busy machine takes longer. So this process listens at once
and lets connections wait until ComfyUI answers. When it is killed, ComfyUI goes with it (Linux: PR_SET_PDEATHSIG).
Set by the runner: SUITE_COMFYUI (the checkout), SUITE_FRONT_END (a folder with an index.html).
"""
import asyncio
import ctypes
import os
import signal
import socket
import sys
import tempfile

BOOT_SECONDS = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def pump(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    flags = sys.argv[1:]
    inner = free_port()
    outer = int(flags[flags.index("--port") + 1])
    flags[flags.index("--port") + 1] = str(inner)
    base = tempfile.mkdtemp(prefix="base-", dir=os.getcwd())
    for folder in ("user", "custom_nodes", "models", "input", "output", "temp"):
        os.makedirs(os.path.join(base, folder))

    async def serve(reader, writer):
        for _ in range(BOOT_SECONDS * 10):
            try:
                from_comfy, to_comfy = await asyncio.open_connection("127.0.0.1", inner)
                break
            except ConnectionError:
                await asyncio.sleep(0.1)
        else:
            writer.close()
            return
        await asyncio.gather(pump(reader, to_comfy), pump(from_comfy, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", outer)
    libc = ctypes.CDLL(None)
    process = await asyncio.create_subprocess_exec(
        sys.executable, os.path.join(os.environ["SUITE_COMFYUI"], "main.py"), *flags,
        "--base-directory", base, "--front-end-root", os.environ["SUITE_FRONT_END"], "--disable-api-nodes",
        "--database-url", "sqlite:///:memory:",
        preexec_fn=lambda: libc.prctl(1, signal.SIGKILL),
    )
    async with server:
        await process.wait()


asyncio.run(main())
