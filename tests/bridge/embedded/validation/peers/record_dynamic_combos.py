"""Records what a real ComfyUI 0.8.0 (618b803d) makes of dynamic combos.

    python record_dynamic_combos.py /path/to/ComfyUI fixtures/comfy-api/dynamic-combos.json

writes how `/object_info` lists the inputs of a class that has them, and of each case, inputs as a prompt spells them: the
names that the class then has, the errors of validation, the inputs as validation left them, and what a run is given.
"""

import asyncio
import copy
import json
import sys

FOLDER, OUTPUT = sys.argv[1:]
sys.path.insert(0, FOLDER)
sys.argv = ["record", "--cpu"]

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import execution  # noqa: E402
import nodes  # noqa: E402
from comfy_api.latest import _io, io  # noqa: E402

MIXED = [
    io.Float.Input("share", default=0.5, min=0.0, max=1.0, step=0.01, optional=True, tooltip="How much."),
    io.Int.Input("rounds", default=3, min=1, max=9, step=1, tooltip="How often."),
    io.Boolean.Input("loud", default=True, optional=True, tooltip="How loud."),
    io.Combo.Input("order", ["up", "down"], default="up", optional=True, tooltip="Which way."),
    io.String.Input("note", default="", multiline=False, optional=True, tooltip="A word."),
]
INNER = [io.DynamicCombo.Option("low", []), io.DynamicCombo.Option("high", [io.Float.Input("level", default=1.0)])]
RUNS = []


class Probe(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        options = [
            io.DynamicCombo.Option("plain", []),
            io.DynamicCombo.Option("mixed", MIXED),
            io.DynamicCombo.Option("deep", [io.DynamicCombo.Input("inner", INNER), io.Int.Input("depth", default=1)]),
        ]
        return io.Schema(
            node_id="ProbeDynamic",
            inputs=[
                io.DynamicCombo.Input("way", options, tooltip="How."),
                io.DynamicCombo.Input("also", options[:2], optional=True),
                io.Int.Input("count", default=1, min=0),
            ],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, **inputs):
        RUNS.append(inputs)
        return io.NodeOutput()


class Source(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="ProbeNumber", inputs=[], outputs=[io.Float.Output(), io.String.Output()])

    @classmethod
    def execute(cls):
        return io.NodeOutput(0.25, "plain")


nodes.NODE_CLASS_MAPPINGS.update(ProbeDynamic=Probe, ProbeNumber=Source)

CASES = {
    "nothing": {},
    "no combo": {"count": 1},
    "no inputs of its own": {"way": "plain", "count": 1},
    "inputs of another word": {"way": "plain", "count": 1, "way.rounds": 2, "way.share": 7},
    "all of them": {
        "way": "mixed",
        "count": 1,
        "way.share": 0.25,
        "way.rounds": 2,
        "way.loud": False,
        "way.order": "down",
        "way.note": "x",
    },
    "only what is required": {"way": "mixed", "count": 1, "way.rounds": 2},
    "a required one is missing": {"way": "mixed", "count": 1},
    "out of range": {"way": "mixed", "count": -1, "way.share": 1.5, "way.rounds": 0},
    "not in the menu": {"way": "mixed", "count": 1, "way.rounds": 2, "way.order": "sideways"},
    "another type": {"way": "mixed", "count": 1, "way.rounds": "many", "way.share": "0.5"},
    "coerced": {"way": "mixed", "count": "4", "way.rounds": "2", "way.share": 1, "way.note": 5, "way.loud": 0},
    "a word that is not there": {"way": "magic", "count": 1, "way.rounds": 2},
    "no word but a number": {"way": 5, "count": 1},
    "no word but nothing": {"way": None, "count": 1},
    "a name of every object": {"way": "constructor", "count": 1},
    "wrapped": {"way": {"__value__": "mixed"}, "count": 1, "way.rounds": 2},
    "one within another": {"way": "deep", "count": 1, "way.depth": 3, "way.inner": "high", "way.inner.level": 2},
    "the inner one has no word": {"way": "deep", "count": 1, "way.depth": 3},
    "the inner one misses its input": {"way": "deep", "count": 1, "way.depth": 3, "way.inner": "high"},
    "both": {"way": "mixed", "count": 1, "way.rounds": 2, "also": "mixed", "also.rounds": 4},
    "an optional one misses its input": {"way": "plain", "count": 1, "also": "mixed"},
    "a link inside": {"way": "mixed", "count": 1, "way.rounds": 2, "way.share": ["2", 0]},
    "a link of another type inside": {"way": "mixed", "count": 1, "way.rounds": 2, "way.share": ["2", 1]},
    "a link for the word": {"way": ["2", 1], "count": 1},
}


def without_traces(found):
    for each in found:
        each["extra_info"].pop("traceback", None)
    return sorted(found, key=lambda each: (each["type"], each["extra_info"].get("input_name", "")))


async def run(inputs):
    """What the node is given, links computed: as the executor gathers and calls, without its cache."""
    prompt = {"1": {"class_type": "ProbeDynamic", "inputs": inputs}, "2": {"class_type": "ProbeNumber", "inputs": {}}}

    class Results:
        def get_cache(self, source, _):
            return execution.CacheEntry(ui=None, outputs=[[0.25], ["plain"]]) if source == "2" else None

    gathered, _, v3_data = execution.get_input_data(inputs, Probe, "1", Results(), None, {})
    RUNS.clear()
    await execution._async_map_node_over_list("p", "1", Probe, gathered, "EXECUTE_NORMALIZED", v3_data=v3_data)
    return prompt, RUNS[0]


async def record(inputs):
    asked = copy.deepcopy(inputs)
    live, _, _ = _io.get_finalized_class_inputs(Probe.INPUT_TYPES(), inputs)
    prompt = {"1": {"class_type": "ProbeDynamic", "inputs": inputs}, "2": {"class_type": "ProbeNumber", "inputs": {}}}
    accepted, error, _, node_errors = await execution.validate_prompt("p", prompt, None)
    errors = without_traces(node_errors.get("1", {}).get("errors", []))
    found = {
        "inputs": asked,
        "required": list(live["required"]),
        "optional": list(live["optional"]),
        "errors": errors,
        "coerced": inputs,
    }
    if accepted:
        _, found["given"] = await run(inputs)
    return found


async def main():
    found = {"input": Probe.GET_NODE_INFO_V1()["input"], "cases": {}}
    for name, inputs in CASES.items():
        found["cases"][name] = await record(inputs)
    with open(OUTPUT, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


asyncio.run(main())
