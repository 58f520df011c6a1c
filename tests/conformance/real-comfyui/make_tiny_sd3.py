"""
Writes a random SD3 model of 1.4 million parameters and a random TAESD3 into a models folder: small enough for any CPU, and
loaded, detected and sampled by ComfyUI as the real ones are (reference 7.5). Also two checkpoints to merge, each with such
a model, a TAESD3 and a random CLIP-L: that has its full size, for ComfyUI knows no other.

usage: python make_tiny_sd3.py COMFYUI MODELS, with the checkout's needs importable
"""
import os
import sys

comfyui, models = sys.argv[1:3]
sys.path.insert(0, comfyui)
sys.argv = [sys.argv[0], "--cpu"]

import json

import torch
from safetensors.torch import save_file

import comfy.options

comfy.options.enable_args_parsing()

import comfy.clip_model
import comfy.ops
from comfy.ldm.modules.diffusionmodules.mmdit import MMDiT
from comfy.taesd.taesd import Decoder, Encoder

WIDTH = 128  # 64 for each of two blocks: ComfyUI reads the depth from the width.


def fill(module, scale, seed=20260101):
    # ComfyUI's layers come uninitialised, so every weight is drawn here, in the order of the names.
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in sorted(module.state_dict().items()):
        if name.endswith(("ln_q.weight", "ln_k.weight")) or "layer_norm" in name and name.endswith(".weight"):
            state[name] = torch.ones_like(value)
        elif value.ndim < 2:
            state[name] = torch.zeros_like(value)
        else:
            fan_in = value[0].numel()
            state[name] = torch.randn(value.shape, generator=generator) * scale / fan_in**0.5
    return state


def write(state, *path):
    file = os.path.join(models, *path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    save_file({name: value.contiguous() for name, value in state.items()}, file)


def make_mmdit(pooled, context):
    return MMDiT(
        input_size=None, patch_size=2, in_channels=16, depth=WIDTH // 64, adm_in_channels=pooled, num_patches=32 * 32,
        pos_embed_max_size=32, qk_norm="rms", dtype=torch.float32, device="cpu",
        context_embedder_config={"target": "torch.nn.Linear", "params": {"in_features": context, "out_features": WIDTH}},
        operations=comfy.ops.disable_weight_init,
    )


model = make_mmdit(768, 768)
state = {name: value.to(torch.float16) for name, value in fill(model, 1.0).items()}
write({f"model.diffusion_model.{name}": value for name, value in state.items()}, "diffusion_models", "tiny-sd3.safetensors")
write(fill(Encoder(latent_channels=16), 1.4), "vae_approx", "taesd3_encoder.safetensors")
write(fill(Decoder(latent_channels=16), 1.4), "vae_approx", "taesd3_decoder.safetensors")

# As SD3 has them: CLIP-L and CLIP-G side by side, padded to the width of T5.
mmdit = make_mmdit(768 + 1280, 4096)
with open(os.path.join(comfyui, "comfy", "sd1_clip_config.json"), encoding="utf-8") as file:
    clip_l = comfy.clip_model.CLIPTextModel(json.load(file), torch.float32, "cpu", comfy.ops.disable_weight_init)
for seed, name in ((1, "tiny-one"), (2, "tiny-two")):
    parts = {
        "model.diffusion_model.": fill(mmdit, 1.0, seed),
        "text_encoders.clip_l.transformer.": fill(clip_l, 1.0, seed),
        "first_stage_model.taesd_encoder.": fill(Encoder(latent_channels=16), 1.4, seed),
        "first_stage_model.taesd_decoder.": fill(Decoder(latent_channels=16), 1.4, seed),
    }
    state = {prefix + key: value.to(torch.float16) for prefix, part in parts.items() for key, value in part.items()}
    write(state, "checkpoints", f"{name}.safetensors")
