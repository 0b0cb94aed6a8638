"""What a license allows, in a line: our reading, to tell models apart; the text itself decides."""

_MEANINGS = {
    "apache-2.0": "use, change and sell it freely; keep its notices",
    "mit": "use, change and sell it freely; keep its notice",
    "bsd": "use, change and sell it freely; keep its notice",
    "cc-by-4.0": "use it freely, also commercially; name the authors",
    "cc-by-nc": "research and private use only; name the authors",
    "openrail": "free, also commercially, except for the harmful uses that it lists",
    "creativeml-openrail": "free, also commercially, except for the harmful uses that it lists",
    "bigscience-openrail": "free, also commercially, except for the harmful uses that it lists",
    "cogvideox": "research is free; commercial use needs a free registration, up to 1M visits a month",
    "tencent-hunyuan": "not in the EU, the UK and South Korea; elsewhere free below 100M monthly users",
    "ltx-2": "free below 10M USD of yearly revenue; above that it has to be bought",
    "nvidia-open-model": "free, also commercially, under NVIDIA's terms of use",
    "skywork": "free, also commercially, under the terms of its community license",
}
"""Beginning of an identifier -> meaning. Read in the license texts and READMEs of the models."""

_PERMISSIVE = ("apache-2.0", "mit", "bsd", "cc-by-4.0")
_BY_ANSWER = {
    "yes": "commercial use is allowed, as we read it",
    "no": "no commercial use, as we read it",
    "conditions": "commercial use has conditions; read them before you rely on it",
}


def meaning_of(license: str, commercial: str) -> str:
    """A license in a line; for one that is not known here, what its entry says of commercial use.

    >>> meaning_of("cc-by-nc-4.0", "no")
    'research and private use only; name the authors'
    >>> meaning_of("house-rules", "conditions")
    'commercial use has conditions; read them before you rely on it'
    """
    fitting = [start for start in _MEANINGS if license.startswith(start)]
    if fitting:
        return _MEANINGS[max(fitting, key=len)]
    if license in ("", "unknown", "unverified"):
        return "nobody has checked it; read it at its origin before you rely on it"
    return _BY_ANSWER.get(commercial, _BY_ANSWER["conditions"])


def commercial_of(license: str) -> str:
    """What the license of a draft says to commercial use, where that is beyond doubt.

    >>> [commercial_of(license) for license in ("apache-2.0", "cc-by-nc-4.0", "openrail")]
    ['yes', 'no', 'conditions']
    """
    if license.startswith(_PERMISSIVE):
        return "yes"
    return "no" if license.startswith("cc-by-nc") else "conditions"
