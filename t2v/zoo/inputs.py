"""Pipelines that make videos of something else than words, and are refused before a download."""

from t2v.errors import RequestError

_PICTURE = "a picture"
_VIDEO = "a video"

NEEDED = {
    "ChronoEditPipeline": _PICTURE,
    "CogVideoXImageToVideoPipeline": _PICTURE,
    "Cosmos2_5_TransferPipeline": "control videos",
    "Cosmos2VideoToWorldPipeline": "a picture or a video",
    "CosmosVideoToWorldPipeline": "a picture or a video",
    "HunyuanSkyreelsImageToVideoPipeline": _PICTURE,
    "HunyuanVideo15ImageToVideoPipeline": _PICTURE,
    # The authors of FramePack made no mode for text alone: it goes on from a picture.
    "HunyuanVideoFramepackPipeline": _PICTURE,
    "HunyuanVideoImageToVideoPipeline": _PICTURE,
    "I2VGenXLPipeline": _PICTURE,
    "Kandinsky5I2VPipeline": _PICTURE,
    "LTX2ImageToVideoPipeline": _PICTURE,
    "LTXImageToVideoPipeline": _PICTURE,
    "LucyEditPipeline": _VIDEO,
    "MotifVideoImage2VideoPipeline": _PICTURE,
    "PIAPipeline": _PICTURE,
    "SanaImageToVideoPipeline": _PICTURE,
    "SanaWMPipeline": _PICTURE,
    "SkyReelsV2DiffusionForcingImageToVideoPipeline": _PICTURE,
    "SkyReelsV2DiffusionForcingVideoToVideoPipeline": _VIDEO,
    "SkyReelsV2ImageToVideoPipeline": _PICTURE,
    "StableVideoDiffusionPipeline": _PICTURE,
    "VideoToVideoSDPipeline": _VIDEO,
    "WanImageToVideoPipeline": _PICTURE,
    "WanVideoToVideoPipeline": _VIDEO,
}
"""Pipeline class -> what it cannot do without."""


def require_text_alone(name: str, pipeline: str) -> None:
    """Refuse a model that needs more than a prompt.

    Raises:
        RequestError: It does; the message says what.
    """
    if pipeline in NEEDED:
        raise RequestError(
            f"{name} is a {pipeline}, which makes its video of {NEEDED[pipeline]}; t2v has a "
            "prompt alone. Text-to-video models: t2v models list."
        )
