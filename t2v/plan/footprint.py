"""How many bytes a model takes at each stage of a video, from its sizes alone.

The constants are the peaks of live tensors in the real configurations of diffusers 0.42.1, counted
without computing anything; `bench/footprint.py` counts them again, and `bench/decode.py` those of
long videos. The margin is for what tensors do not show: workspaces of convolutions and pieces too
small to use again. Memory rows of an entry are for people: most were measured with other code, which
moves weights differently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from t2v.plan.machine import GIB
from t2v.zoo.spec import ModelSpec

_ITEM_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_MARGIN = 1.15

_VALUES_PER_TOKEN_CHANNEL = 16
"""Transformer block: Wan 1.3B 15.8, Wan 14B 11.1, LTX 2B 15.6, CogVideoX 5B 12.2."""
_PARAMS_PER_SQUARE_CHANNEL = 560
"""Parameters over channels squared, so that channels follow from the size: 14 to 20 a layer."""
_VALUES_PER_UNET_PIXEL = 10_600
"""U-Net of ModelScope, for each latent pixel: 10602."""

_TEMPORAL = {"ltx": 8, "ltx2": 8, "mochi": 6}
"""Frames that one latent frame stands for, where it is not 4."""
_ON_WAN = (
    "anyflow",
    "anyflow_far",
    "helios",
    "helios_pyramid",
    "motif_video",
    "skyreels_v2",
    "skyreels_v2_df",
    "wan_vace",
)
"""Families that decode with the VAE of Wan 2.1, as a stream."""
_ON_HUNYUAN = ("hunyuan_video", "kandinsky5", "kandinsky6")
"""Families that decode with the VAE of HunyuanVideo, a tile of time at a time."""
_SEPARATE_GUIDANCE = frozenset({"wan", *_ON_WAN, "hunyuan_video", "hunyuan_video_15"})
"""Families that run the two halves of guidance one after the other and not as one batch, or none."""
_TOKEN_SIDE = {"anyflow_far": 16, "helios_pyramid": 16}
"""Pixels along a token, where sizes are multiples of more than that."""

_LEAF_SHARE = {"encoder": 0.2, "denoiser": 0.02}
"""The largest layer of a component: a multilingual embedding is 19 % of its encoder."""


@dataclass(frozen=True, slots=True)
class _Decoder:
    values_per_pixel: int
    """Numbers held at the peak for each pixel of a frame, or of the clip if it is decoded whole."""
    tile: int
    """Pixels of one tile."""
    is_whole: bool = False
    is_always_tiled: bool = False
    streamed: int | None = None
    """For each pixel of a frame of a long video, where that is decoded in another way than a clip."""
    remembers: bool = False
    """Whether each tile of a long video has a memory; all but one rest in the host's."""


_DECODERS = {
    "wan": _Decoder(5400, 256 * 256, remembers=True),  # 2.1: 4877, 2.2: 5391
    **dict.fromkeys(_ON_WAN, _Decoder(5400, 256 * 256, remembers=True)),
    "cosmos3": _Decoder(5400, 256 * 256),
    # The model of 480p is on Wan's VAE. That of 720p is on LTX-2's, which holds less of a native clip.
    "sana_video": _Decoder(5400, 512 * 512, remembers=True),
    "cosmos": _Decoder(132, 512 * 512, is_whole=True),  # 1.0: 131; Predict 2.5 is on Wan's VAE
    **dict.fromkeys(_ON_HUNYUAN, _Decoder(19_800, 256 * 256)),  # 17 frames at a time: 19726
    "hunyuan_video_15": _Decoder(
        900, 256 * 256, is_whole=True, streamed=21_400, remembers=True
    ),  # 898, 21346
    "cogvideox": _Decoder(22_600, 240 * 360, remembers=True),  # 22514
    "easyanimate": _Decoder(10_000, 512 * 512, remembers=True),  # 9916
    "allegro": _Decoder(19_300, 320 * 320, is_always_tiled=True),  # 19248
    "ltx": _Decoder(52, 512 * 512, is_whole=True, streamed=2300, remembers=True),  # 51, 2254
    "ltx_long": _Decoder(52, 512 * 512, is_whole=True),
    "ltx2": _Decoder(44, 512 * 512, is_whole=True, streamed=2200, remembers=True),  # 43, 2120
    "mochi": _Decoder(  # 889, 11448
        900, 256 * 256, is_whole=True, streamed=11_500, remembers=True
    ),
    "modelscope": _Decoder(770, 512 * 512, is_whole=True),  # 769
}
_ANY_DECODER = _Decoder(800, 512 * 512, is_whole=True)


def weights_of(spec: ModelSpec, dtype: str, device: str) -> dict[str, int]:
    """Bytes of each component in the number format that it will run in."""
    return {
        name: component.params * _ITEM_BYTES[_format(spec, component.dtype, dtype, device)]
        for name, component in spec.components.items()
    }


def role_of(component: str) -> str:
    """What a component of a pipeline does: `encoder`, `denoiser`, `vae` or `other`."""
    if component.startswith("vae"):
        return "vae"
    if "encoder" in component:
        return "encoder"
    return "denoiser" if component.startswith(("transformer", "unet")) else "other"


def _format(spec: ModelSpec, stated: str, wanted: str, device: str) -> str:
    # A component that is wanted in float32 beside others stays there, whatever the rest is told.
    keeps_float32 = wanted == "auto" or spec.mixes_formats
    if wanted == "float32" or (keeps_float32 and stated == "float32"):
        return "float32"
    if wanted == "auto":
        return "float32" if device == "cpu" else stated
    return wanted


@dataclass(frozen=True)
class Footprint:
    """One model making one video."""

    spec: ModelSpec
    weights: Mapping[str, int]
    """Bytes of each component as it will be loaded; empty if nobody knows."""
    width: int
    height: int
    num_frames: int
    dtype: str
    device: str
    is_streamed: bool = False
    """Whether `num_frames` are a part of a longer video that is decoded as it comes."""

    @property
    def total(self) -> int:
        """Bytes of all weights."""
        return sum(self.weights.values())

    @property
    def can_tile(self) -> bool:
        """Whether the VAE can work in tiles."""
        return self.spec.supports.vae_tiling

    @property
    def in_float32(self) -> bool:
        """Whether the denoiser runs in float32, the widest format."""
        return self._item_bytes("denoiser") == _ITEM_BYTES["float32"]

    def peak(self, rung: str, *, tiled: bool = False) -> int:
        """Most bytes on the device at any time."""
        decoding = self.decoding(tiled=tiled)
        if rung == "none":
            return self.total + max(self.encoding(), self.denoising(), decoding)
        share = {"encoder": 1.0, "denoiser": 1.0} if rung == "model" else _LEAF_SHARE
        # Group offload fetches the next layer while one works.
        layers = 2 if rung == "group" else 1
        encoder, denoiser = (
            int(self._largest(role) * min(1.0, share[role] * layers))
            for role in ("encoder", "denoiser")
        )
        return max(
            encoder + self.encoding(), denoiser + self.denoising(), self._largest("vae") + decoding
        )

    def encoding(self) -> int:
        """Bytes to read the prompt, beside the text encoder: little next to its weights."""
        return min(GIB // 4, self._largest("encoder"))

    def denoising(self) -> int:
        """Bytes of one pass of the denoiser, beside its weights."""
        tokens, item = self._tokens(), self._item_bytes("denoiser")
        if "unet" in self.weights:
            return int(tokens * _VALUES_PER_UNET_PIXEL * 2 * item * _MARGIN)
        channels = sqrt(self._largest("denoiser") / item / _PARAMS_PER_SQUARE_CHANNEL)
        batch = 1 if self.spec.family in _SEPARATE_GUIDANCE else 2
        return int(tokens * channels * _VALUES_PER_TOKEN_CHANNEL * batch * item * _MARGIN)

    def decoding(self, *, tiled: bool = False) -> int:
        """Bytes to turn latents into frames, beside the VAE's weights."""
        decoder = self._decoder
        area, item = self.width * self.height, self._item_bytes("vae")
        if self.is_streamed and decoder.remembers and self.device in {"cpu", "mps"}:
            tiled = False
        worked_on = min(area, decoder.tile) if tiled or decoder.is_always_tiled else area
        values = decoder.values_per_pixel * (self.num_frames if decoder.is_whole else 1)
        if self.is_streamed and decoder.streamed is not None:
            values = decoder.streamed
        # Tiles are put together on the device: twice three channels of the whole clip.
        result = 6 * area * self.num_frames * item if tiled else 0
        return int(values * worked_on * item * _MARGIN) + result

    def resting(self, *, tiled: bool = False) -> int:
        """Bytes of the host that hold what tiles of a long video remember: less than the whole takes."""
        return self.decoding() if tiled and self.is_streamed and self._decoder.remembers else 0

    def decoding_alone(self) -> int:
        """The same with nothing else on the device, the least that whole frames take."""
        return self._largest("vae") + self.decoding()

    @property
    def _decoder(self) -> _Decoder:
        return _DECODERS.get(self.spec.family, _ANY_DECODER)

    def _largest(self, role: str) -> int:
        return max(
            (size for name, size in self.weights.items() if role_of(name) == role), default=0
        )

    def _item_bytes(self, role: str) -> int:
        stated = next(
            (one.dtype for name, one in self.spec.components.items() if role_of(name) == role),
            "bfloat16",
        )
        return _ITEM_BYTES[_format(self.spec, stated, self.dtype, self.device)]

    def _tokens(self) -> int:
        rule = self.spec.frames
        multiple = _TOKEN_SIDE.get(self.spec.family, self.spec.sizes.multiple)
        temporal = 1 if rule.multiple == 1 else _TEMPORAL.get(self.spec.family, 4)
        num_latent_frames = -(-self.num_frames // temporal) + (temporal > 1)
        return num_latent_frames * -(-self.width // multiple) * -(-self.height // multiple)
