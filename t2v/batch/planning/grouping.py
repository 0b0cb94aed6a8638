"""In which order videos are made: those of one loaded model together, and of these the alike."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from t2v.api.planning import notes_of_loading, place_weights
from t2v.batch.jobs import Group, Job
from t2v.batch.planning.naming import Draft
from t2v.plan.longplan import frames_at_once, settled_order
from t2v.plan.machine import Machine, probe_machine
from t2v.plan.request import Request
from t2v.zoo.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Grouped:
    """Groups and their jobs, in the order in which they are made."""

    groups: tuple[Group, ...]
    jobs: tuple[Job, ...]


def grouped(drafts: Iterable[tuple[ModelSpec, Draft]], machine: Machine | None = None) -> Grouped:
    """Put videos in order: groups, shapes and items each by when they first came."""
    bundles: dict[Hashable, tuple[ModelSpec, dict[Hashable, list[Draft]]]] = {}
    for spec, draft in drafts:
        _, shapes = bundles.setdefault(_loading(spec, draft.request), (spec, {}))
        shapes.setdefault(_shape(draft.request), []).append(draft)
    machines: dict[str, Machine] = {}
    groups: list[Group] = []
    jobs: list[Job] = []
    for spec, shapes in bundles.values():
        ordered = [draft for alike in shapes.values() for draft in alike]
        device = ordered[0].request.device
        if machine is None and device not in machines:
            machines[device] = probe_machine(device)
        group = _group(len(groups), spec, ordered, machine or machines[device])
        groups.append(group)
        jobs += [_job(group, draft) for draft in ordered]
    return Grouped(tuple(groups), tuple(jobs))


def _loading(spec: ModelSpec, request: Request) -> Hashable:
    """What is settled when a model is loaded."""
    # The shift of some models follows the size, and is set again for every video.
    shift = None if spec.defaults.flow_shift_by_height else request.flow_shift
    name, revision = spec.name, spec.revision
    asked = request.device, request.dtype, request.memory, request.lora, request.scheduler
    return name, revision, asked, shift


def _shape(request: Request) -> Hashable:
    size = request.width, request.height, request.num_frames
    return size, request.num_inference_steps, request.guidance_scale


def _group(index: int, spec: ModelSpec, drafts: Sequence[Draft], machine: Machine) -> Group:
    """The memory has to do for the largest of them."""
    first = drafts[0].request
    largest = max((draft.request for draft in drafts), key=lambda r: _volume(spec, r))
    memory = place_weights(spec, largest, machine)
    notes = notes_of_loading(spec, first, machine, memory)
    return Group(index, spec, memory, machine, first, tuple(notes))


def _volume(spec: ModelSpec, request: Request) -> int:
    return request.width * request.height * frames_at_once(spec, request)


def _job(group: Group, draft: Draft) -> Job:
    request = settled_order(group.spec, draft.request, group.memory.rung)
    return Job(
        draft.key,
        draft.id,
        request,
        draft.output,
        group.index,
        draft.custom_id,
        draft.source,
    )
