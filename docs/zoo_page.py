"""The page of the zoo: its models, and what can be done with them, from `models.yaml` and code."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from t2v.families import adapter_for
from t2v.plan.frames import rule_text
from t2v.runtime.pipeline import PipelineAdapter
from t2v.runtime.quiet import quiet
from t2v.testing import TINY, tiny_spec
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec

FAMILIES = Path(__file__).parent / "pages" / "families"
DENOISERS = ("transformer", "transformer_2", "unet")
INTRODUCTION = """\
# The zoo

Generated from `models.yaml` and the code by `docs/reference.py`.

{models} models of {families} families. [Models](models.md) has what the words mean, how to choose,
and how a model without an entry is treated; `t2v models show NAME` has the source of every number.
"""
MODELS = """\
## Models

Parameters are those of what denoises, downloads those of all parts. A clip is what the model was
trained on.
"""
SUPPORT = """\
## What can be done

Frames: how many one call makes. Windows: whether t2v makes videos longer than a clip from
overlapping windows. Decoding: `streamed` where frames of a long video are decoded piece by piece,
`whole` where all latents are decoded together. Tests: how many tiny pipelines hold the family's
frames to those of a direct call of diffusers, bit by bit; `its own` where loading a saved one would
bring a guardrail of gigabytes, so that a test of the family builds them.
"""
MEMORY = """\
## Memory that was measured

By others where it says so; `t2v plan` estimates for your machine.
"""


def page() -> str:
    """The whole page."""
    zoo = Zoo.load(overlays=False)
    families = list(dict.fromkeys(spec.family for spec in zoo.values()))
    by_family = {name: [s for s in zoo.values() if s.family == name] for name in families}
    introduction = INTRODUCTION.format(models=len(zoo), families=len(families))
    sections = [introduction, MODELS]
    for name, specs in by_family.items():
        sections += [f"### {name}\n\n{_more(name)}{_models(specs)}"]
    # Families import pipelines, some of which remark on packages that are not there.
    with quiet():
        support = _support(by_family)
    sections += [SUPPORT, support, MEMORY, _memory(zoo.values())]
    return "\n".join(sections)


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    titles = list(headers)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in lines)


def _page(family: str) -> str | None:
    """The family's page; kin such as `helios_pyramid` are on the page of `helios`."""
    names = ("_".join(family.split("_")[:words]) for words in range(len(family), 0, -1))
    return next((f"families/{n}.md" for n in names if (FAMILIES / f"{n}.md").is_file()), None)


def _more(family: str) -> str:
    page = _page(family)
    return f"[What is odd about it]({page})\n\n" if page else ""


def _models(specs: Iterable[ModelSpec]) -> str:
    headers = (
        "name",
        "parameters",
        "download",
        "clip",
        "steps",
        "license",
        "commercial",
        "maturity",
    )
    return table(headers, map(_model, specs))


def _model(spec: ModelSpec) -> Iterator[str]:
    width, height = spec.sizes.native[0]
    native, fps = spec.frames.native, Fraction(spec.fps)
    parameters = sum(spec.components[p].params for p in DENOISERS if p in spec.components)
    yield f"`{spec.name}`"
    yield _count(parameters, "M", "B")
    yield "in the box" if spec.builtin else _count(spec.download_bytes, " MB", " GB")
    yield f"{width}x{height}, {native} frames at {float(fps):.5g} fps ({float(native / fps):.1f} s)"
    yield str(spec.defaults.num_inference_steps or "")
    yield f"{spec.license}{' (gated)' if spec.gated else ''}"
    yield spec.commercial
    yield spec.maturity


def _count(number: int, millions: str, billions: str) -> str:
    """`1.3B`, `14 MB`; nothing where it is not known."""
    if not number:
        return ""
    scaled, unit = (number / 1e9, billions) if number >= 1e9 else (number / 1e6, millions)
    return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:.0f}{unit}"


def _support(by_family: dict[str, list[ModelSpec]]) -> str:
    headers = ("family", "frames", "sizes", "LoRA", "VAE tiling", "caches", "context parallel")
    headers += ("sound", "windows", "decoding", "tests")
    return table(headers, (_row(name, specs) for name, specs in by_family.items()))


def _row(name: str, specs: list[ModelSpec]) -> Iterator[str]:
    page = _page(name)
    yield f"[{name}]({page})" if page else name
    yield _frames(specs)
    yield f"multiples of {_each(str(spec.sizes.multiple) for spec in specs)}"
    for flag in ("lora", "vae_tiling", "caches", "context_parallel"):
        yield _share(getattr(spec.supports, flag) for spec in specs)
    yield _share(spec.audio for spec in specs)
    yield _windows(specs)
    yield "streamed" if _is_streamed(specs[0]) else "whole"
    yield str(sum(tiny_spec(tiny, "").family == name for tiny in TINY) or "its own")


def _each(facts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(facts))


def _share(facts: Iterable[bool]) -> str:
    """`yes`, `some` or nothing: what holds for all models, for a few, for none."""
    said = set(facts)
    return "" if said == {False} else "yes" if said == {True} else "some"


def _frames(specs: list[ModelSpec]) -> str:
    """`4n+1, 4093 at most`, `exactly 16`, `any number of frames`."""
    rules = _each(rule_text(spec.frames) for spec in specs)
    limits = [spec.frames.max for spec in specs if rule_text(spec.frames)[0] != "e"]
    most = _each(str(limit) for limit in limits if limit)
    return f"{rules}, {most} at most" if most else rules


def _windows(specs: list[ModelSpec]) -> str:
    methods = dict.fromkeys(method for spec in specs for method in spec.supports.long_video)
    if "windows" not in methods:
        return ", ".join(methods)
    windows = dict.fromkeys(str(s.supports.window) for s in specs if s.supports.window)
    return ", ".join(
        [f"of {' or '.join(windows)} latents", *(m for m in methods if m != "windows")]
    )


def _is_streamed(spec: ModelSpec) -> bool:
    adapter = adapter_for(spec)
    own = getattr(type(adapter), "decode_stream", None)
    return own is not PipelineAdapter.decode_stream or adapter.latent_context is not None


def _memory(specs: Iterable[ModelSpec]) -> str:
    headers = ("name", "GPU", "clip", "offload", "peak", "how it is known")
    rows = (
        (f"`{s.name}`", m.gpu, f"{m.size}, {m.frames} frames", m.rung, f"{m.peak_gib:g} GiB", m.how)
        for s in specs
        for m in s.memory
    )
    return table(headers, rows)
