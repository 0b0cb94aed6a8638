"""From a prompt and options to a plan, without a tensor: what `t2v plan` prints and a run obeys."""

from collections.abc import Sequence
from pathlib import Path

from t2v.errors import DependencyMissingError, UnknownModelError
from t2v.plan.config import Config, read_configs
from t2v.plan.forecast import forecast
from t2v.plan.history import read_runs
from t2v.plan.longplan import described, frames_at_once, is_streamed, settled_order
from t2v.plan.machine import Machine, probe_machine
from t2v.plan.memory import plan_memory, weights_on_disk
from t2v.plan.options import Options
from t2v.plan.request import MemoryPlan, Plan, Request
from t2v.plan.resolve import Layer, Layers, requests_for, resolve
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import locate
from t2v.zoo.requirements import check_packages
from t2v.zoo.spec import ModelSpec


def make_plan(
    prompt: str | None,
    options: Options | None = None,
    *,
    zoo: Zoo | None = None,
    origin: str = "flag",
    machine: Machine | None = None,
    config: bool = True,
) -> Plan:
    """Settle everything about a run that can be known before a weight is loaded.

    Args:
        prompt: What the video should show; None where a story begins with a prompt of its own.
        options: What is asked for; what it leaves open comes from the configs and the zoo.
        zoo: The models to choose from; by default all of the zoo and the user's own.
        origin: What to call the place that the options come from.
        machine: The machine to plan for; by default this one.
        config: Whether the user's and the project's config have a say.

    Raises:
        RequestError: The request cannot be fulfilled; the message says what can.
        UnknownModelError: No model has the name.
        DocumentError: A config or a catalog has a mistake.
    """
    zoo = zoo if zoo is not None else Zoo.load()
    asked = options or Options()
    configs, notes = read_configs() if config else ([], [])
    general = [(where, one.options) for where, one in configs] + [(origin, asked)]
    spec, model_notes = find_model(zoo, general)
    layers = [*config_layers(configs, spec), (origin, asked)]
    request, request_notes = resolve(spec, prompt, layers, prompt_origin=origin)
    num_videos = next((o.num_videos for _, o in reversed(layers) if o.num_videos), 1)
    machine = machine or probe_machine(request.device)
    notes = [*notes, *config_notes(zoo, configs), *model_notes, *doubt(spec), *request_notes]
    return _assembled(spec, requests_for(spec, request, num_videos), machine, notes)


def weights_here(spec: ModelSpec, folder: Path | None) -> dict[str, int] | None:
    """Bytes of each component as they lie in the folder, for an entry that does not know them."""
    return None if spec.components or folder is None else weights_on_disk(folder)


def find_model(zoo: Zoo, layers: Layers) -> tuple[ModelSpec, list[str]]:
    """The model that the strongest layer names, else the default; and what is to be said of it."""
    for origin, options in reversed(layers):
        if options.model is not None:
            spec = zoo.find(options.model)
            return spec, [f"{spec.name}, from the {origin}"] if origin.endswith("config") else []
    spec = zoo.find(zoo.default())
    kind = "the small model in the box" if spec.builtin else "your default model"
    return spec, [f"{spec.name}, {kind}; a larger one: t2v models list"]


def config_layers(configs: Sequence[tuple[str, Config]], spec: ModelSpec) -> list[Layer]:
    """What the configs say of a model, the stronger last."""
    names = (spec.name, *spec.aliases, *([spec.repo] if spec.repo else []))
    return [layer for where, one in configs for layer in one.layers(where, names)]


def doubt(spec: ModelSpec) -> list[str]:
    """What to say about a model that nobody vouches for."""
    if spec.maturity != "unverified":
        return []
    return [
        f"{spec.name} has no entry in the zoo: its license is unknown, and its rules, read from "
        "its configuration, are unverified"
    ]


def config_notes(zoo: Zoo, configs: Sequence[tuple[str, Config]]) -> list[str]:
    """What the configs say about models that do not exist, most likely a slip of the pen."""
    notes = []
    for where, config in configs:
        for name in config.models:
            if "/" in name:
                continue
            try:
                zoo.find(name)
            except UnknownModelError as error:
                notes.append(f"{where}: models.{name}: {error}")
    return notes


def place_weights(spec: ModelSpec, request: Request, machine: Machine) -> MemoryPlan:
    """Where the weights live while the request is fulfilled on that machine."""
    return plan_memory(
        spec,
        request.width,
        request.height,
        frames_at_once(spec, request),
        request.dtype,
        machine,
        request.memory,
        is_streamed=is_streamed(spec, request),
        weights=weights_here(spec, locate(spec)),
    )


def notes_of_loading(
    spec: ModelSpec, request: Request, machine: Machine, memory: MemoryPlan
) -> list[str]:
    """What is to be said before the model is loaded for the request."""
    return [
        *_device_notes(request, machine),
        *([] if locate(spec) else [_download_note(spec)]),
        *_package_notes(spec),
        *memory.warnings,
    ]


def _assembled(
    spec: ModelSpec, requests: tuple[Request, ...], machine: Machine, notes: list[str]
) -> Plan:
    first = requests[0]
    memory = place_weights(spec, first, machine)
    return Plan(
        spec,
        tuple(settled_order(spec, request, memory.rung) for request in requests),
        memory,
        (*notes, *described(spec, first), *notes_of_loading(spec, first, machine, memory)),
        machine,
        forecast(spec, first, machine.device_name, read_runs()),
    )


def _device_notes(request: Request, machine: Machine) -> list[str]:
    wanted = request.device.partition(":")[0]
    present = "cuda" if machine.device == "rocm" else machine.device
    if wanted in {"auto", "cpu", "xpu", present}:
        return []
    return [f"--device {request.device}: no such device was found here"]


def _package_notes(spec: ModelSpec) -> list[str]:
    try:
        check_packages(spec)
    except DependencyMissingError as error:
        return [str(error)]
    return []


def _download_note(spec: ModelSpec) -> str:
    size = f"{spec.download_bytes / 10**9:.1f} GB" if spec.download_bytes else "an unknown size"
    return (
        f"{spec.name} is not on this machine: {size} to download from {spec.repo}, "
        f"license {spec.license}"
    )
