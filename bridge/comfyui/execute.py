"""One execution of one node: what goes out, what comes back, and how the node is stopped meanwhile."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import weakref

from . import comfy, executed, log
from .checkpoints import Checkpoints
from .connection import Call
from .failures import LineageFailure
from .link import Link
from .pixels import read_preview
from .values import is_large, pack_input, unpack_output

# How often the flag of ComfyUI's interrupt is looked at: it must reach the node within 100 ms.
_LOOK_SECONDS = 0.04
_copies = concurrent.futures.ThreadPoolExecutor(2, "lineage-pixels")


async def run_node(link: Link, entry: dict, inputs: dict, prompt, extra_pnginfo, node_id: str) -> tuple[list, dict | None]:
    """
    Runs a node in the bridge.

    :param entry: the node in the manifest.
    :param inputs: values by name, as ComfyUI gives them; optional ones may be absent.
    :param prompt: the graph as it was queued; for a node of an expansion, with what was expanded.
    :returns: the values of the outputs, and what clients are shown.
    """
    node_id = str(node_id)
    if not entry["terminal"]:
        return await _run(link, entry, inputs, prompt, extra_pnginfo, node_id)
    # ComfyUI starts the calls of a node over a list side by side; its files must be numbered in the order of the list.
    async with _turn_of(node_id):
        return await _run(link, entry, inputs, prompt, extra_pnginfo, node_id)


_turns: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _turn_of(node_id: str) -> asyncio.Lock:
    """Whoever asks first goes first. Each prompt has an event loop of its own, and its locks go with it."""
    return _turns.setdefault(asyncio.get_running_loop(), {}).setdefault(node_id, asyncio.Lock())


async def _run(link: Link, entry: dict, inputs: dict, prompt, extra_pnginfo, node_id: str) -> tuple[list, dict | None]:
    values = executed.collect(prompt, node_id) if entry["terminal"] else []
    with link.call_now() or await _until(link.call()) as call:
        objects: list = []
        packed = []
        for declared in entry["inputs"]:
            name = declared["name"]
            if name in inputs:
                value = inputs[name]
                arguments = (declared, value, call, objects)
                packed.append([name, await _aside(is_large(value), pack_input, *arguments)])
        call.send(
            {
                "kind": "run",
                "node": entry["id"],
                "nodeId": node_id,
                "inputs": packed,
                "executed": json.dumps(values),
                **({"classes": json.dumps(comfy.class_declarations())} if entry.get("classes") else {}),
            },
            {"prompt": _to_json(prompt), "extraPnginfo": _to_json(extra_pnginfo or {})},
        )
        done = await _wait_for_result(call, node_id)
        outputs = []
        checkpoints = Checkpoints()
        try:
            while done["outputs"]:
                output, socket = done["outputs"].pop(0), entry["outputs"][len(outputs)]["type"]
                large = output["kind"] == "pixels"
                outputs.append(await _aside(large, unpack_output, output, socket, inputs, objects, call, checkpoints))
        finally:
            call.connection.decline(done)
        return outputs, done["ui"]


async def _wait_for_result(call: Call, node_id: str) -> dict:
    while True:
        message = await call.next(_LOOK_SECONDS)
        if comfy.is_interrupted():
            if message is not None:
                call.connection.decline(message)
            raise comfy.interruption()
        if message is None:
            continue
        if message["kind"] == "progress":
            await _show(message, call, node_id)
        elif message["kind"] == "done":
            return message
        elif message["kind"] == "lost":
            # A copy: one loss may fail several nodes, and each keeps its own traceback.
            loss = message["failure"]
            raise LineageFailure(loss.code, loss.message, loss.hint, {"node": node_id})
        else:
            error = message["error"]
            if error["code"] != "interrupted":
                log.write("error", f"node {node_id}: {error['stack']}")
            raise LineageFailure(error["code"], error["message"], error["hint"], {"node": node_id, **error["where"]})


async def _show(message: dict, call: Call, node_id: str) -> None:
    preview = None
    if message["preview"] is not None:
        file = message["preview"]
        preview = await _aside(True, read_preview, file, call.exchange, call.connection.taker(file))
    comfy.show_progress(node_id, message["value"], message["total"], preview)


async def _until(coroutine):
    """Waits, and looks for the interrupt meanwhile: starting the bridge may take seconds."""
    task = asyncio.ensure_future(coroutine)
    while not (await asyncio.wait({task}, timeout=_LOOK_SECONDS))[0]:
        if comfy.is_interrupted():
            task.cancel()
            raise comfy.interruption()
    return task.result()


async def _aside(large: bool, work, *arguments):
    """Copies of many bytes are made in a thread, so that nodes beside this one go on."""
    if not large:
        return work(*arguments)
    # A future that a thread fulfils is part of a cycle: what it holds would live until the garbage collector comes.
    result: list = []
    await asyncio.get_running_loop().run_in_executor(_copies, lambda: result.append(work(*arguments)))
    return result.pop()


def _to_json(graph) -> str:
    """
    The text of a graph as it is now: nodes of others write into the prompt and the workflow while they run. The connection
    sends a text again only where it is another.
    """
    try:
        # An expansion may put objects where a client can only put JSON; nobody reads anything of them but that they are there.
        return json.dumps(graph, default=lambda value: {"__object__": type(value).__name__})
    except (TypeError, ValueError, RecursionError) as error:
        raise LineageFailure("bridge/value", f"expected a graph that JSON can spell, got: {error}") from error
