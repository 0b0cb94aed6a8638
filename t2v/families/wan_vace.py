"""Wan VACE: a Wan that can be steered by video, mask and pictures; here by the prompt alone."""

from t2v.families.wan import WanAdapter


class WanVACEAdapter(WanAdapter):
    """Text to video with VACE: the pipeline makes a neutral control video and mask itself."""

    family = "wan_vace"
    takes_lists = False
    pipelines = ("WanVACEPipeline",)


adapter = WanVACEAdapter()
