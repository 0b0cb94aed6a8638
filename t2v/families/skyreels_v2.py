"""SkyReels-V2: a Wan for longer clips at 24 frames a second, denoised in one piece."""

from t2v.families.wan import WanAdapter


class SkyReelsV2Adapter(WanAdapter):
    """Text to video with SkyReels-V2."""

    family = "skyreels_v2"
    pipelines = ("SkyReelsV2Pipeline",)


adapter = SkyReelsV2Adapter()
