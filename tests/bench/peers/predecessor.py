"""Runs the predecessor's save node inside a ComfyUI that executes nothing: predecessor.py COMFYUI PREDECESSOR WORK

Answers a JSON line for each JSON line on stdin. `load` puts a prompt graph where ComfyUI leaves it after a run, with
the outputs that its nodes would have left; `capture` times what the node does for one picture before it encodes it;
`save` runs the whole node. In the place of models stands what the node asks of a text encoder: where embeddings lie.
"""

import asyncio
import functools
import importlib.util
import json
import os
import sys
import time
from types import SimpleNamespace

comfyui, pack, work = sys.argv[1:]
sys.argv = sys.argv[:1]
answers, sys.stdout = sys.stdout, sys.stderr
sys.path.insert(0, comfyui)

import piexif  # noqa: E402, F401  the predecessor goes on without it, and then writes no EXIF worth the name
from comfy.cli_args import args  # noqa: E402

args.cpu = True
import folder_paths  # noqa: E402

for kind in ("checkpoints", "loras", "vae", "embeddings", "controlnet"):
    folder = os.path.join(work, "models", kind)
    os.makedirs(folder, exist_ok=True)
    folder_paths.folder_names_and_paths[kind] = ([folder], folder_paths.folder_names_and_paths[kind][1])
folder_paths.set_output_directory(os.path.join(work, "predecessor"))

import numpy  # noqa: E402
import execution  # noqa: E402
import nodes  # noqa: E402
from comfy_execution.caching import CacheKeySetID, HierarchicalCache  # noqa: E402
from comfy_execution.graph import DynamicPrompt  # noqa: E402


def open_pack():
    spec = importlib.util.spec_from_file_location(
        "predecessor", os.path.join(pack, "__init__.py"), submodule_search_locations=[pack]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["predecessor"] = module
    spec.loader.exec_module(module)
    from predecessor.saveimage_unimeta import capture, defs, hook, trace
    from predecessor.saveimage_unimeta.nodes import node

    return SimpleNamespace(capture=capture, defs=defs, hook=hook, trace=trace, node=node)


unimeta = open_pack()
Saver = unimeta.node.SaveImageWithMetaDataUniversal
nodes.NODE_CLASS_MAPPINGS["SaveImageWithMetaDataUniversal"] = Saver
loaded = SimpleNamespace(prompt={}, extra={})
hashing = SimpleNamespace(seconds=0.0)
tokenizer = SimpleNamespace(
    embedding_directory=folder_paths.get_folder_paths("embeddings"), embedding_identifier="embedding:"
)
clip = SimpleNamespace(tokenizer=SimpleNamespace(clip_l=tokenizer))


def timed(hash_file):
    @functools.wraps(hash_file)
    def run(*arguments):
        start = time.perf_counter()
        try:
            return hash_file(*arguments)
        finally:
            hashing.seconds += time.perf_counter() - start

    return run


def watch_hashing():
    """Counts the time that finding and hashing files takes: what the rules name, and what is called directly."""
    for rules in unimeta.defs.CAPTURE_FIELD_LIST.values():
        for rule in rules.values():
            name = getattr(rule.get("format"), "__name__", "")
            if ("hash" in name or "embedding" in name) and not hasattr(rule["format"], "__wrapped__"):
                rule["format"] = timed(rule["format"])
    direct = ("calc_lora_hash", "calc_model_hash", "calc_unet_hash", "calc_vae_hash")
    for name in (*direct, "extract_embedding_names", "extract_embedding_hashes"):
        if not hasattr(getattr(unimeta.capture, name), "__wrapped__"):
            setattr(unimeta.capture, name, timed(getattr(unimeta.capture, name)))


def load(prompt, save, workflow=None):
    prompt[save]["class_type"] = "SaveImageWithMetaDataUniversal"
    dynamic = DynamicPrompt(prompt)
    # Keyed by id: the dearer keys of a real run would count against the predecessor, which looks up many outputs.
    outputs = HierarchicalCache(CacheKeySetID)
    asyncio.run(outputs.set_prompt(dynamic, prompt.keys(), None))
    for node_id, node in prompt.items():
        value = node["inputs"]["value"] if node["class_type"] == "PrimitiveString" else clip
        outputs.set(node_id, execution.CacheEntry(ui={}, outputs=[[value]] * 4))
    executor = SimpleNamespace(caches=SimpleNamespace(outputs=outputs))
    extra = {"extra_pnginfo": {"workflow": workflow}} if workflow is not None else {}
    # The two calls that its hooks get from ComfyUI on the way to the node.
    unimeta.hook.pre_execute(executor, prompt, "bench", extra, [])
    unimeta.hook.pre_get_input_data(prompt[save]["inputs"], Saver, save)
    loaded.prompt, loaded.extra = prompt, extra
    return {"nodes": len(prompt)}


def capture():
    hook, trace = unimeta.hook, unimeta.trace.Trace
    saver = Saver()
    start = time.perf_counter()
    # As save_images begins: rules for the classes upstream, then the capture, then the text.
    upstream = trace.trace(hook.current_save_image_node_id, hook.current_prompt)
    classes = {class_type for (_, class_type) in upstream.values()} | set(unimeta.defs.FORCED_INCLUDE_CLASSES)
    unimeta.node.load_user_definitions(classes, suppress_missing_log=True)
    prepared = time.perf_counter() - start
    watch_hashing()
    hashing.seconds = 0.0
    start = time.perf_counter()
    info = saver.gen_pnginfo("Farthest", 0, False)
    text = unimeta.capture.Capture.gen_parameters_str(info)
    seconds = prepared + time.perf_counter() - start
    return {"milliseconds": 1000 * seconds, "hashing": 1000 * hashing.seconds, "text": text}


def save(kilobytes, side):
    saver = Saver()
    result = saver.save_images(
        [numpy.full((side, side, 3), 0.4, numpy.float32)],
        file_format="jpeg",
        quality=90,
        max_jpeg_exif_kb=kilobytes,
        civitai_sampler=True,
        lora_strengths_in_prompt=True,
        prompt=loaded.prompt,
        extra_pnginfo=loaded.extra.get("extra_pnginfo"),
    )
    name = result["ui"]["images"][0]["filename"]
    return {"file": os.path.join(saver.output_dir, name), "stage": saver._last_fallback_stages[-1]}


print(json.dumps({"ready": True}), file=answers, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    answer = {"load": load, "capture": capture, "save": save}[request.pop("do")](**request)
    print(json.dumps(answer), file=answers, flush=True)
