"""
Values that this run has produced already: texts, numbers and switches of the nodes upstream. ComfyUI gives its cache to no
node, so it is looked for where the running prompt keeps it: in the variables of the tasks of this event loop. That reads,
and changes nothing; where another version keeps it elsewhere, there is no overlay, and the static trace says what it can.
"""

from __future__ import annotations

import asyncio
import inspect

from . import log

# A text longer than this is no prompt; all together are bounded too.
_MAX_TEXT = 64 * 1024
_MAX_VALUES = 10_000
_MAX_ALL_TEXT = 4 * 1024 * 1024


def collect(prompt, node_id: str) -> list[list]:
    """`[node id, slot, value]` of every plain value that the ancestors of a node put out."""
    try:
        cache = _find_cache()
        if cache is not None:
            return _read(cache, prompt, node_id) if isinstance(prompt, dict) else []
        reason = "no cache is where it was looked for"
    except Exception as error:  # Another ComfyUI than we know: nothing of it may break a run.
        reason = repr(error)
    _tell_once(reason)
    return []


_is_told = False


def _tell_once(reason: str) -> None:
    global _is_told
    if not _is_told:
        _is_told = True
        log.write("debug", f"values of nodes that ran already are not seen in this ComfyUI: {reason}")


def _find_cache():
    for task in asyncio.all_tasks():
        frame = getattr(task.get_coro(), "cr_frame", None)
        executor = None if frame is None else frame.f_locals.get("self")
        outputs = getattr(getattr(executor, "caches", None), "outputs", None)
        if outputs is not None and callable(getattr(outputs, "get", None)):
            return outputs
    return None


def _read(cache, prompt: dict, node_id: str) -> list[list]:
    values: list[list] = []
    text = 0
    seen = {node_id}
    open_ids = [node_id]
    while open_ids and len(values) < _MAX_VALUES:
        node = prompt.get(open_ids.pop())
        for value in (node or {}).get("inputs", {}).values():
            if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)) or value[0] in seen:
                continue
            seen.add(value[0])
            open_ids.append(value[0])
            for slot, found in enumerate(_outputs_of(cache, value[0])):
                if type(found) not in (str, int, float, bool) or found != found or found in (float("inf"), float("-inf")):
                    continue
                text += len(found) if isinstance(found, str) else 0
                if isinstance(found, str) and len(found) > _MAX_TEXT or text > _MAX_ALL_TEXT:
                    continue
                values.append([value[0], slot, found])
    return values


def _outputs_of(cache, node_id: str) -> list:
    """The only value of each slot; a slot that made a list of several says nothing of one picture."""
    entry = (getattr(cache, "get_local", None) or cache.get)(node_id)
    if inspect.iscoroutine(entry):
        entry.close()
        return []
    outputs = getattr(entry, "outputs", entry)
    if not isinstance(outputs, (list, tuple)):
        return []
    return [slot[0] if isinstance(slot, (list, tuple)) and len(slot) == 1 else None for slot in outputs]
