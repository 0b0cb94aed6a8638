"""Tiny text-to-video pipelines: real classes, real tensor layouts, random weights, no network.

```python
folder = tiny_pipeline("wan", tmp_path / "wan")      # a normal diffusers folder, about 1 MB
video = t2v.load(folder).generate("a red ball", **tiny_options("wan"))
```

A new one is a function that builds the pipeline, in a module of this package, and a row in the
table below.
"""

# ruff: noqa: TID253 - tiny pipelines are made of torch

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from peft import LoraConfig, get_peft_model_state_dict

from t2v.runtime.quiet import quiet
from t2v.testing import (
    cogvideox,
    hunyuan,
    kandinsky,
    ltx,
    ltx2,
    sana,
    stable_diffusion,
    transformer,
    unet,
    wan,
    wan_kin,
)
from t2v.zoo.spec import Defaults, FrameRule, ModelSpec, Sizes

__all__ = ["TINY", "tiny_lora", "tiny_options", "tiny_pipeline", "tiny_spec"]


@dataclass(frozen=True, slots=True)
class _Tiny:
    build: Callable[[], Any]
    family: str
    pipeline: str
    num_frames: int
    size: int
    frame_rule: tuple[int, int] = (1, 0)
    options: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the pipeline call, as an entry adds them."""
    fps_input: bool = False
    audio: bool = False


_TINY = {
    "wan": _Tiny(wan.wan, "wan", "WanPipeline", 5, 16, (4, 1)),
    "wan-2.2": _Tiny(
        wan.wan_2_2,
        "wan",
        "WanPipeline",
        5,
        16,
        (4, 1),
        {"num_inference_steps": 3, "guidance_scale_2": 2.0},
    ),
    "wan-2.2-5b": _Tiny(wan.wan_2_2_5b, "wan", "WanPipeline", 5, 32, (4, 1)),
    "ltx": _Tiny(ltx.ltx, "ltx", "LTXPipeline", 9, 64, (8, 1), fps_input=True),
    "ltx-0.9.5": _Tiny(ltx.ltx_0_9_5, "ltx", "LTXConditionPipeline", 9, 64, (8, 1), fps_input=True),
    "ltx-long": _Tiny(
        ltx.ltx_long,
        "ltx_long",
        "LTXI2VLongMultiPromptPipeline",
        9,
        64,
        (8, 1),
        fps_input=True,
    ),
    "ltx-2": _Tiny(
        ltx2.ltx2,
        "ltx2",
        "LTX2Pipeline",
        9,
        64,
        (8, 1),
        call={"spatio_temporal_guidance_blocks": [1], "use_cross_timestep": False},
        fps_input=True,
        audio=True,
    ),
    "ltx-2-timestep": _Tiny(
        ltx2.ltx2_timestep,
        "ltx2",
        "LTX2Pipeline",
        9,
        64,
        (8, 1),
        call={"spatio_temporal_guidance_blocks": [1], "decode_timestep": 0.05},
        fps_input=True,
        audio=True,
    ),
    "kandinsky-5": _Tiny(
        kandinsky.kandinsky5, "kandinsky5", "Kandinsky5T2VPipeline", 5, 32, (4, 1)
    ),
    "kandinsky-5-nabla": _Tiny(
        kandinsky.kandinsky5_nabla, "kandinsky5", "Kandinsky5T2VPipeline", 5, 128, (4, 1)
    ),
    "kandinsky-6": _Tiny(
        kandinsky.kandinsky6,
        "kandinsky6",
        "Kandinsky6TI2VAPipeline",
        9,
        32,
        (4, 1),
        fps_input=True,
        audio=True,
    ),
    "kandinsky-6-silent": _Tiny(
        kandinsky.kandinsky6_silent,
        "kandinsky6",
        "Kandinsky6TI2VAPipeline",
        5,
        32,
        (4, 1),
        fps_input=True,
    ),
    "sana-video": _Tiny(sana.sana_video, "sana_video", "SanaVideoPipeline", 5, 32, (4, 1)),
    "sana-video-720p": _Tiny(
        sana.sana_video_720p, "sana_video", "SanaVideoPipeline", 9, 64, (8, 1)
    ),
    "cogvideox": _Tiny(cogvideox.cogvideox, "cogvideox", "CogVideoXPipeline", 9, 32, (8, 1)),
    "cogvideox-5b": _Tiny(cogvideox.cogvideox_5b, "cogvideox", "CogVideoXPipeline", 9, 32, (8, 1)),
    "cogvideox-1.5": _Tiny(
        cogvideox.cogvideox_1_5, "cogvideox", "CogVideoXPipeline", 17, 32, (16, 1)
    ),
    "modelscope": _Tiny(unet.modelscope, "modelscope", "TextToVideoSDPipeline", 4, 16),
    "text2video-zero": _Tiny(
        stable_diffusion.text2video_zero,
        "text2video_zero",
        "TextToVideoZeroPipeline",
        2,
        16,
        options={"num_inference_steps": 48},
    ),
    "text2video-zero-sdxl": _Tiny(
        stable_diffusion.text2video_zero_sdxl,
        "text2video_zero",
        "TextToVideoZeroSDXLPipeline",
        2,
        16,
        options={"num_inference_steps": 48},
    ),
    "animatediff": _Tiny(stable_diffusion.animatediff, "animatediff", "AnimateDiffPipeline", 4, 16),
    "animatediff-sdxl": _Tiny(
        stable_diffusion.animatediff_sdxl, "animatediff", "AnimateDiffSDXLPipeline", 4, 16
    ),
    "latte": _Tiny(transformer.latte, "latte", "LattePipeline", 16, 16, (16, 0)),
    "mochi": _Tiny(transformer.mochi, "mochi", "MochiPipeline", 7, 32, (6, 1)),
    "allegro": _Tiny(transformer.allegro, "allegro", "AllegroPipeline", 24, 128, (4, 0)),
    "easyanimate": _Tiny(
        transformer.easyanimate, "easyanimate", "EasyAnimatePipeline", 5, 16, (4, 1)
    ),
    "hunyuan-video": _Tiny(
        hunyuan.hunyuan_video, "hunyuan_video", "HunyuanVideoPipeline", 5, 32, (4, 1)
    ),
    "hunyuan-video-1.5": _Tiny(
        hunyuan.hunyuan_video_15, "hunyuan_video_15", "HunyuanVideo15Pipeline", 5, 32, (4, 1)
    ),
    "skyreels-v2": _Tiny(wan_kin.skyreels_v2, "skyreels_v2", "SkyReelsV2Pipeline", 5, 16, (4, 1)),
    "skyreels-v2-df": _Tiny(
        wan_kin.skyreels_v2_df,
        "skyreels_v2_df",
        "SkyReelsV2DiffusionForcingPipeline",
        5,
        16,
        (4, 1),
        call={"base_num_frames": 17, "overlap_history": 9, "addnoise_condition": 20},
    ),
    "wan-vace": _Tiny(wan_kin.wan_vace, "wan_vace", "WanVACEPipeline", 5, 16, (4, 1)),
    "motif-video": _Tiny(wan_kin.motif_video, "motif_video", "MotifVideoPipeline", 5, 32, (4, 1)),
    "helios": _Tiny(wan_kin.helios, "helios", "HeliosPipeline", 5, 16, (4, 1)),
    "helios-pyramid": _Tiny(
        wan_kin.helios_pyramid,
        "helios_pyramid",
        "HeliosPyramidPipeline",
        5,
        128,
        (4, 1),
        {"num_inference_steps": 4},
    ),
    "helios-distilled": _Tiny(
        wan_kin.helios_distilled,
        "helios_pyramid",
        "HeliosPyramidPipeline",
        5,
        64,
        (4, 1),
        {"num_inference_steps": 3, "guidance_scale": 1.0},
        call={"is_amplify_first_chunk": True},
    ),
    "anyflow": _Tiny(
        wan_kin.anyflow, "anyflow", "AnyFlowPipeline", 5, 16, (4, 1), {"guidance_scale": 1.0}
    ),
    "anyflow-far": _Tiny(
        wan_kin.anyflow_far,
        "anyflow_far",
        "AnyFlowFARPipeline",
        13,
        32,
        (4, 1),
        {"guidance_scale": 1.0},
    ),
}

TINY = tuple(_TINY)
"""The names of the tiny pipelines."""


def tiny_pipeline(name: str, folder: str | os.PathLike[str], seed: int = 0) -> Path:
    """Save a tiny pipeline as a diffusers folder.

    Args:
        name: One of `TINY`, such as `wan`, `ltx`, `cogvideox` or `modelscope`.
        folder: Where to; made if it does not exist.
        seed: Of the random weights: the same seed gives the same files.
    """
    with quiet():
        _build(name, seed).save_pretrained(str(folder))
    return Path(folder)


def tiny_options(name: str) -> dict[str, Any]:
    """The cheapest request that the tiny pipeline makes a video of, in the words of `Options`."""
    tiny = _TINY[name]
    return {
        "num_frames": tiny.num_frames,
        "width": tiny.size,
        "height": tiny.size,
        "num_inference_steps": 2,
        "guidance_scale": 3.0,
        "negative_prompt": "blurry",
        **tiny.options,
    }


def tiny_spec(name: str, folder: str | os.PathLike[str]) -> ModelSpec:
    """What a zoo entry would say about the tiny pipeline in this folder."""
    tiny = _TINY[name]
    multiple, plus = tiny.frame_rule
    return ModelSpec(
        name=f"tiny-{name}",
        family=tiny.family,
        pipeline=tiny.pipeline,
        folder=str(folder),
        license="apache-2.0",
        commercial="yes",
        sizes=Sizes(native=((tiny.size, tiny.size),), multiple=tiny.size),
        frames=FrameRule(multiple=multiple, plus=plus, native=tiny.num_frames),
        fps="8",
        fps_input=tiny.fps_input,
        audio=tiny.audio,
        defaults=Defaults(num_inference_steps=2, guidance_scale=3.0, call=tiny.call),
    )


def tiny_lora(name: str, file: str | os.PathLike[str], seed: int = 0) -> Path:
    """Save a LoRA with random weights for a tiny pipeline with a transformer, in one file.

    Args:
        name: One of `TINY` whose pipeline takes a LoRA, such as `wan`.
        file: A `.safetensors` file; its folder has to exist.
        seed: Of the random weights.
    """
    path = Path(file)
    with quiet(), torch.random.fork_rng(devices=[]):
        pipe = _build(name, seed)
        torch.manual_seed(seed)
        layers = ["to_q", "to_k", "to_v", "to_out.0"]
        pipe.transformer.add_adapter(
            LoraConfig(r=2, lora_alpha=2, target_modules=layers, init_lora_weights=False)
        )
        pipe.save_lora_weights(
            str(path.parent),
            transformer_lora_layers=get_peft_model_state_dict(pipe.transformer),
            weight_name=path.name,
        )
    return path


def _build(name: str, seed: int) -> DiffusionPipeline:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipe = _TINY[name].build()
        for part in pipe.components.values():
            if isinstance(part, torch.nn.Module):
                _settle(part)
    return pipe


def _settle(module: torch.nn.Module) -> None:
    module.eval().requires_grad_(False)
    for parameter in module.parameters():
        # Some classes leave memory as they find it, trusting that weights will be loaded.
        if not torch.isfinite(parameter).all() or parameter.abs().max() > 1e3:
            torch.nn.init.normal_(parameter, std=0.02)
