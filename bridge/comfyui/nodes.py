"""The classes that ComfyUI sees, made from the manifest. Nothing here needs the bridge, Node.js or torch."""

from __future__ import annotations

import asyncio
import sys

from . import comfy
from .execute import run_node
from .link import Link


# A menu whose words bring inputs of their own; what a class then gets is {"method": {"method": "ties", "density": 0.2}}.
_DYNAMIC = "COMFY_DYNAMICCOMBO_V3"


def make_v3_class(entry: dict, link: Link, io):
    """
    A class of today's API.

    :param io: `comfy_api.latest.io`. A class derives right from ComfyNode: what a schema says is kept on the class, and
        would be inherited.
    """

    def define_schema(cls):
        return io.Schema(
            node_id=entry["id"],
            display_name=entry["title"],
            category=entry["category"],
            description=entry["description"],
            inputs=[_v3_input(io, each) for each in entry["inputs"]],
            outputs=[
                io.Custom(each["type"]).Output(id=each["name"], display_name=each["name"], tooltip=each["tooltip"])
                for each in entry["outputs"]
            ],
            hidden=[io.Hidden.prompt, io.Hidden.dynprompt, io.Hidden.extra_pnginfo, io.Hidden.unique_id],
            is_output_node=entry["terminal"],
        )

    async def execute(cls, **inputs):
        hidden = cls.hidden
        prompt = _prompt_around(hidden.unique_id, hidden.prompt, hidden.dynprompt)
        outputs, ui = await run_node(link, entry, inputs, prompt, hidden.extra_pnginfo, hidden.unique_id)
        return io.NodeOutput(*outputs, ui=ui)

    return type(
        entry["id"],
        (io.ComfyNode,),
        {"define_schema": classmethod(define_schema), "execute": classmethod(execute), "__module__": __name__},
    )


def _prompt_around(node_id, prompt, dynamic):
    """The prompt as it was queued; a node that an expansion made is not in it, and gets both."""
    if not isinstance(prompt, dict) or node_id in prompt:
        return prompt
    return {**prompt, **getattr(dynamic, "ephemeral_prompt", {})}


def _v3_input(io, declared: dict):
    if not hasattr(io, "DynamicCombo"):
        declared = _without_dynamic(declared)
    # The general input with all options as they are: what /object_info says is then what the manifest says, in every
    # version, also of options that a version's own classes do not know yet.
    options = _options_of(declared)
    tooltip = options.pop("tooltip", None)
    return io.Custom(_one_type(declared["type"])).Input(
        declared["name"], optional=declared["optional"], tooltip=tooltip, extra_dict=options
    )


def make_v1_class(entry: dict, link: Link):
    """A class of the API before that. Where the executor cannot await, the node blocks it as every node then did."""

    def input_types(cls):
        required, optional = {}, {}
        for declared in map(_without_dynamic, entry["inputs"]):
            options = _options_of(declared)
            kind = _one_type(declared["type"])
            # Old menus are lists, which newer versions read too.
            spec = (options.pop("options"), options) if kind == "COMBO" else (kind, options)
            (optional if declared["optional"] else required)[declared["name"]] = spec
        hidden = {
            "lineage_prompt": "PROMPT",
            "lineage_dynamic": "DYNPROMPT",
            "lineage_pnginfo": "EXTRA_PNGINFO",
            "lineage_id": "UNIQUE_ID",
        }
        return {"required": required, "optional": optional, "hidden": hidden}

    async def run(self, lineage_prompt=None, lineage_dynamic=None, lineage_pnginfo=None, lineage_id="", **inputs):
        prompt = _prompt_around(lineage_id, lineage_prompt, lineage_dynamic)
        outputs, ui = await run_node(link, entry, inputs, prompt, lineage_pnginfo, lineage_id)
        return {"result": tuple(outputs), **({"ui": ui} if ui is not None else {})}

    def run_blocking(self, **inputs):
        return asyncio.run(run(self, **inputs))

    return type(
        entry["id"],
        (),
        {
            "INPUT_TYPES": classmethod(input_types),
            "RETURN_TYPES": tuple(each["type"] for each in entry["outputs"]),
            "RETURN_NAMES": tuple(each["name"] for each in entry["outputs"]),
            "OUTPUT_TOOLTIPS": tuple(each["tooltip"] for each in entry["outputs"]),
            "FUNCTION": "run",
            "CATEGORY": entry["category"],
            "DESCRIPTION": entry["description"],
            "OUTPUT_NODE": entry["terminal"],
            "run": run if _executor_awaits() else run_blocking,
            "__module__": __name__,
        },
    )


def _without_dynamic(declared: dict) -> dict:
    """A dynamic menu for a host that knows none: its words alone. What they bring then keeps its defaults."""
    if declared["type"] != _DYNAMIC:
        return declared
    words = [each["key"] for each in declared["options"]["options"]]
    return {**declared, "type": "COMBO", "options": {**declared["options"], "options": words, "default": words[0]}}


def _options_of(declared: dict) -> dict:
    """The options of an input; a menu of model files lists those that are there now."""
    options = dict(declared["options"])
    if "model_folders" in options:
        options["options"] = comfy.model_names(options["model_folders"])
    return options


def _executor_awaits() -> bool:
    return hasattr(sys.modules.get("execution"), "_async_map_node_over_list")


def _one_type(kind) -> str:
    return kind if isinstance(kind, str) else "COMBO"
