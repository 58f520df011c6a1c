"""Node classes whose validation record_validation.py records; tests/bridge/embedded/validation/validation-nodes.ts says the same."""

WORDS = [f"w{i}" for i in range(25)]


def node(**attributes):
    base = {"FUNCTION": "run", "CATEGORY": "probe", "RETURN_TYPES": (), "run": lambda self, **inputs: ()}
    types = attributes.pop("inputs")
    return type("Node", (), base | attributes | {"INPUT_TYPES": classmethod(lambda cls: types)})


def validate_named(cls, number):
    if number == 9:
        raise ValueError("nine")
    return {7: "no sevens", 8: False}.get(number, True)


def validate_all(cls, **inputs):
    return "got " + ",".join(sorted(inputs))


def validate_types(cls, input_types, image=None, other=None):
    return f"{image} {input_types.get('image')}" if input_types else True


async def validate_async(cls, text):
    return text == "fine" or f"{text} is not fine"


def validate_list(cls, number, image):
    return f"{list(number)} {list(image)}"


def validate_raising(cls, number):
    raise ValueError("broken")


NODE_CLASS_MAPPINGS = {
    "ProbeSource": node(
        inputs={"optional": {"number": ("INT", {"min": 0})}},
        RETURN_TYPES=("IMAGE", "INT", "*", "IMAGE,MASK", "STRING", "COMBO"),
        run=lambda self, **inputs: (None,) * 6,
    ),
    "ProbePass": node(
        inputs={"required": {"image": ("IMAGE",)}},
        RETURN_TYPES=("IMAGE",),
        run=lambda self, image: (image,),
    ),
    "ProbeRaising": node(
        inputs={"required": {"number": ("INT",)}},
        RETURN_TYPES=("IMAGE",),
        VALIDATE_INPUTS=classmethod(validate_raising),
    ),
    "ProbeEmpty": node(inputs={}, OUTPUT_NODE=True),
    "ProbeRequired": node(
        inputs={"required": {"image": ("IMAGE",), "seed": ("INT", {"min": 0, "max": 0xFFFFFFFFFFFFFFFF})}},
        OUTPUT_NODE=True,
    ),
    "ProbeKinds": node(
        inputs={
            "required": {},
            "optional": {
                "small": ("INT", {"default": 1, "min": -5, "max": 10}),
                "int": ("INT",),
                "part": ("FLOAT", {"min": 0.5, "max": 1.5}),
                "float": ("FLOAT",),
                "text": ("STRING", {"multiline": True}),
                "flag": ("BOOLEAN",),
                "menu": (["a", "it's", 'say "it\'s"', "é\n"],),
                "combo": ("COMBO", {"options": ["a", "b"]}),
                "numbers": ("COMBO", {"options": [1, 2.5, "x", True]}),
                "long": (WORDS,),
                "image": ("IMAGE",),
                "any": ("*",),
                "either": ("IMAGE,FLOAT",),
                "mixed": ("FLOAT,INT", {"min": 0, "max": 10}),
                "odd": ("STRING", {"min": 0}),
                "bound": ("BOOLEAN", {"min": 1}),
                "lazy": ("IMAGE", {"lazy": True}),
            },
        },
        OUTPUT_NODE=True,
    ),
    "ProbeNamed": node(
        inputs={"required": {"number": ("INT", {"max": 3})}, "optional": {"other": ("INT", {"max": 3})}},
        OUTPUT_NODE=True,
        VALIDATE_INPUTS=classmethod(validate_named),
    ),
    "ProbeAll": node(
        inputs={
            "required": {"number": ("INT", {"max": 3})},
            "optional": {"image": ("IMAGE",), "menu": (["a"],)},
            "hidden": {"id": "UNIQUE_ID", "prompt": "PROMPT", "own": "INT"},
        },
        OUTPUT_NODE=True,
        VALIDATE_INPUTS=classmethod(validate_all),
    ),
    "ProbeTypes": node(
        inputs={"optional": {"image": ("IMAGE",), "other": ("INT", {"max": 3})}},
        OUTPUT_NODE=True,
        VALIDATE_INPUTS=classmethod(validate_types),
    ),
    "ProbeAsync": node(
        inputs={"required": {"text": ("STRING",)}},
        OUTPUT_NODE=True,
        VALIDATE_INPUTS=classmethod(validate_async),
    ),
    "ProbeList": node(
        inputs={"required": {"number": ("INT",), "image": ("IMAGE",)}},
        OUTPUT_NODE=True,
        INPUT_IS_LIST=True,
        VALIDATE_INPUTS=classmethod(validate_list),
    ),
}
