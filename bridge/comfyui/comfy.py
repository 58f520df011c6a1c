"""
All that we ask of ComfyUI. Its modules are looked up when they are needed, so that importing this pack imports nothing;
outside of ComfyUI (tests) there is nothing to ask.
"""

from __future__ import annotations

import os
import sys
import tempfile

# ComfyUI's names for the folders whose models metadata tells about.
MODEL_FOLDERS = (
    "checkpoints diffusion_models vae text_encoders loras embeddings controlnet upscale_models clip_vision style_models "
    "hypernetworks"
).split()


def settings() -> dict:
    """The folders and flags that this ComfyUI was started with, extra_model_paths.yaml included."""
    global _last_settings
    paths = sys.modules.get("folder_paths")
    if paths is None:
        folder = tempfile.gettempdir()
        return {
            "output": os.path.join(folder, "output"),
            "input": os.path.join(folder, "input"),
            "temp": os.path.join(folder, "temp"),
            "home": home(),
            "disableMetadata": False,
            "models": {},
        }
    listed = paths.folder_names_and_paths
    arguments = getattr(sys.modules.get("comfy.cli_args"), "args", None)
    said = {
        "output": paths.get_output_directory(),
        "input": paths.get_input_directory(),
        "temp": paths.get_temp_directory(),
        "home": home(),
        "disableMetadata": bool(getattr(arguments, "disable_metadata", False)),
        "models": {name: tuple(listed[name][0]) for name in MODEL_FOLDERS if name in listed},
    }
    # Asked for with every node, and the same almost always; making paths absolute is what takes time.
    if _last_settings is None or _last_settings[0] != said:
        absolute = {name: os.path.abspath(said[name]) for name in ("output", "input", "temp", "home")}
        models = {name: [os.path.abspath(path) for path in each] for name, each in said["models"].items()}
        _last_settings = (said, {**said, **absolute, "models": models})
    return _last_settings[1]


_last_settings: tuple | None = None


def home() -> str:
    """
    Where our ledger and the owner's settings lie: `LINEAGE_HOME`, else a folder of ComfyUI's user folder whose name keeps
    it from being any user's, so that no route serves it.
    """
    if os.environ.get("LINEAGE_HOME"):
        return os.path.abspath(os.environ["LINEAGE_HOME"])
    paths = sys.modules.get("folder_paths")
    if paths is None or not hasattr(paths, "get_user_directory"):
        return os.path.join(os.path.expanduser("~"), ".lineage")
    return os.path.join(os.path.abspath(paths.get_user_directory()), "__lineage")


def model_names(folders) -> list:
    """The files of some model folders as ComfyUI's loaders list them, each name once; empty outside of ComfyUI."""
    paths = sys.modules.get("folder_paths")
    if paths is None:
        return []
    known = [folder for folder in folders if folder in paths.folder_names_and_paths]
    return list(dict.fromkeys(name for folder in known for name in paths.get_filename_list(folder)))


def class_declarations() -> dict:
    """
    What every class that is installed declares, as far as a rule is proposed by it: the members of `/object_info` of these
    names. Menus are left empty: some list thousands of files. A class that fails to tell is left out, as ComfyUI does.
    """
    mappings = getattr(sys.modules.get("nodes"), "NODE_CLASS_MAPPINGS", {})
    found = {}
    for class_type, each in list(mappings.items()):
        try:
            found[class_type] = {
                "input": {group: _declared(specs) for group, specs in each.INPUT_TYPES().items() if group != "hidden"},
                "output": [kind if isinstance(kind, str) else [] for kind in each.RETURN_TYPES],
                "output_node": bool(getattr(each, "OUTPUT_NODE", False)),
                "python_module": str(getattr(each, "RELATIVE_PYTHON_MODULE", "nodes")),
            }
        except Exception:  # noqa: BLE001 - code of others
            continue
    return found


def _declared(specs) -> dict:
    declared = {}
    for name, spec in specs.items():
        options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
        kind = spec[0] if isinstance(spec[0], str) else []
        declared[str(name)] = [kind, {"multiline": True} if options.get("multiline") else {}]
    return declared


def checkpoint_folders() -> list:
    """Where a checkpoint may lie that is loaded: the output folder, and the folders for checkpoints."""
    said = settings()
    return [said["output"], *said["models"].get("checkpoints", ())]


def load_checkpoint(file: str) -> tuple:
    """MODEL, CLIP and VAE of a file, as Load Checkpoint makes them."""
    import comfy.sd
    import folder_paths

    embeddings = folder_paths.get_folder_paths("embeddings")
    return comfy.sd.load_checkpoint_guess_config(
        file, output_vae=True, output_clip=True, embedding_directory=embeddings
    )[:3]


def is_interrupted() -> bool:
    """Looks, and leaves the flag up for other nodes that run beside this one."""
    management = sys.modules.get("comfy.model_management")
    return management is not None and management.processing_interrupted()


def interruption() -> BaseException:
    """What ComfyUI wants to see thrown from an interrupted node."""
    management = sys.modules.get("comfy.model_management")
    return RuntimeError("interrupted") if management is None else management.InterruptProcessingException()


def show_progress(node_id: str, value: float, total: float, preview) -> None:
    """
    Moves the node's bar. The hook behind it tells old pages (`progress`) and new ones (`progress_state`), and throws when
    the run was interrupted.

    :param preview: a PIL image or None.
    """
    utils = sys.modules.get("comfy.utils")
    if utils is None:
        return
    arguments = getattr(sys.modules.get("comfy.cli_args"), "args", None)
    image = None if preview is None else ("JPEG", preview, getattr(arguments, "preview_size", 512))
    try:
        bar = utils.ProgressBar(total, node_id=node_id)
    except TypeError:  # Before ComfyUI told nodes apart.
        bar = utils.ProgressBar(total)
    bar.update_absolute(value, total, image)
