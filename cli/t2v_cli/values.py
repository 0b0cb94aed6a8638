"""What was typed, as the library wants it."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

import t2v
from t2v_cli.output import one_line

if TYPE_CHECKING:
    from t2v import Options

MAX_STDIN_BYTES = 4_000_000
"""More than the library takes as a prompt, so that it is the one to say so."""


def examples(*lines: str) -> str:
    """The examples of a command, to stand at the end of its help."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def complete_model(incomplete: str) -> list[tuple[str, str]]:
    """Names and aliases of the zoo with their descriptions, for shell completion."""
    try:
        models = t2v.Zoo.load().values()
    except t2v.errors.T2VError:
        return []
    return [
        (name, one_line(spec.description, 100))
        for spec in models
        for name in (spec.name, *spec.aliases)
        if name.startswith(incomplete)
    ]


def to_options(given: Mapping[str, Any]) -> "Options":
    """The generation options among the parameters of a command."""
    values = {name: given.get(name) for name in t2v.Options.model_fields}
    for name in ("lora", "at"):
        values[name] = tuple(given.get(name) or ()) or None
    if given.get("size"):
        if values["width"] or values["height"]:
            raise typer.BadParameter("say the size once: --size, or --width and --height")
        size = t2v.Options.from_strings({"size": given["size"]})
        values |= {"width": size.width, "height": size.height}
    return t2v.Options.checked(values)


def refuse_beside_resume(given: Mapping[str, Any]) -> None:
    """What is resumed was planned when it began; nothing about it can be asked for again."""
    asked = {name: given.get(name) for name in ("prompt", "size", *t2v.Options.model_fields)}
    asked["save_latents"] = given.get("save_latents") or None
    for name, value in asked.items():
        if value not in (None, (), []):
            what = "PROMPT" if name == "prompt" else f"--{name.replace('_', '-')}"
            raise typer.BadParameter(
                f"goes on as it was begun; leave {what} out", param_hint="--resume"
            )


def read_prompt(prompt: str | None) -> str | None:
    """The prompt itself, or for `-` what stdin holds."""
    if prompt != "-":
        return prompt
    return sys.stdin.buffer.read(MAX_STDIN_BYTES).decode("utf-8", "replace").strip("\r\n")


def to_changes(pairs: Sequence[str] | None) -> dict[str, str]:
    """`["seed=3"]` -> `{"seed": "3"}`."""
    changes = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not key.strip() or not equals:
            raise typer.BadParameter(f"{one_line(pair)!r} is not KEY=VALUE", param_hint="--set")
        changes[key.strip()] = value
    return changes


def one_of(text: str, known: Sequence[str], flag: str) -> Any:
    """The word, if it is one of those."""
    if text not in known:
        raise typer.BadParameter(
            f"{one_line(text)!r} is none of {', '.join(known)}", param_hint=flag
        )
    return text
