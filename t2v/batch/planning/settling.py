"""From items to requests: every value of every video, each distinct set of options worked out once."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from t2v.api.planning import config_layers, config_notes, doubt, find_model
from t2v.batch.items import Item
from t2v.batch.planning.identity import lock_sources
from t2v.errors import RequestError, T2VError, UnknownModelError, WeightsMissingError
from t2v.plan.config import Config
from t2v.plan.longplan import described, with_long
from t2v.plan.options import Options
from t2v.plan.prompts import checked_prompt
from t2v.plan.request import Lora, Request
from t2v.plan.resolve import Layer, requests_for, resolve
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec

Found = TypeVar("Found")

FILE = "prompt file"
FLAGS = "command line"
"""Who says what holds for all videos, as a configuration does: it is for those it fits."""
DERIVED = "derived from its text"
_ANY_PROMPT = "a video"
"""Stands for the prompts of all items that differ in nothing else."""


@dataclass(frozen=True, slots=True)
class _Model:
    spec: ModelSpec
    layers: list[Layer]
    """What the configs say of it."""
    num_videos: int


@dataclass(frozen=True, slots=True)
class _Template:
    """What items with the same options share: all but prompt and seed."""

    request: Request
    origins: dict[str, str]
    """Where an item says its seed."""
    derived: dict[str, str]
    """Where the seed follows from the text."""


class Settler:
    """Settles items one after another; what is to be said about them gathers in `notes`."""

    def __init__(
        self,
        zoo: Zoo,
        configs: Sequence[tuple[str, Config]],
        flags: Options,
        seed: int | None,
    ) -> None:
        self.notes: dict[str, None] = {}
        self._zoo = zoo
        self._configs = configs
        self._flags = flags
        self._seed = seed
        self.missing: Counter[str] = Counter()
        """Why weights cannot be had, and of how many items; they will fail when they are made."""
        self._sources: dict[tuple[str, str | None, tuple[Lora, ...]], str | None] = {}
        self._models: dict[str | None, _Model | T2VError] = {}
        self._templates: dict[tuple[str | None, Options], _Template | RequestError] = {}
        self._number: Counter[tuple[str, str | None, Options]] = Counter()
        self._note(config_notes(zoo, configs))

    def settle(self, item: Item, model: str | None = None) -> tuple[ModelSpec, tuple[Request, ...]]:
        """The videos of an item, made by its own model or by the one named.

        Raises:
            WeightsMissingError: Nothing tells what the model is like.
            RequestError: They cannot be made; the message does not say where the item stands.
        """
        said = item.options
        chosen = self._model(model or self._flags.model or said.model)
        plain = said.model_copy(update={"seed": None, "num_videos": None})
        if said.story is None and said.at is None:
            request = self._short(item, model, chosen, plain)
        else:
            request = self._story(item, model, chosen, plain)
        request = request if request.long is None else with_long(chosen.spec, request)
        if request.endless:
            raise RequestError("a batch has an end; leave endless out, or make it by t2v generate")
        self._note(described(chosen.spec, request))
        self._lock(chosen.spec, request.lora)
        num_videos = self._flags.num_videos or said.num_videos or chosen.num_videos
        return chosen.spec, requests_for(chosen.spec, request, num_videos)

    def _short(self, item: Item, model: str | None, chosen: _Model, plain: Options) -> Request:
        """A request without a story: only its prompt and its seed are its own."""
        if item.prompt is None:
            raise RequestError("There is no prompt; say what the video should show.")
        template = self._template(model, chosen, plain)
        prompt, notes = checked_prompt(item.prompt)
        self._note(notes)
        seed, origins = item.options.seed, template.origins
        if seed is None:
            seed = self._derived(prompt, template.request, (prompt, model, plain))
            origins = template.derived
        return replace(template.request, prompt=prompt, seed=seed, origins=origins)

    def _story(self, item: Item, model: str | None, chosen: _Model, plain: Options) -> Request:
        layers = self._layers(model, chosen, item.options)
        request, notes = resolve(chosen.spec, item.prompt, layers, prompt_origin=FILE)
        self._note(notes)
        if not _is_open(request.origins["seed"]):
            return request
        text = json.dumps([request.prompt, *(cue.to_dict() for cue in request.story)])
        seed = self._derived(text, request, (text, model, plain))
        return replace(request, seed=seed, origins=request.origins | {"seed": DERIVED})

    def _template(self, model: str | None, chosen: _Model, plain: Options) -> _Template:
        known = self._templates.get((model, plain))
        if known is None:
            try:
                known = self._new_template(self._layers(model, chosen, plain), chosen.spec)
            except RequestError as error:
                known = error
            self._templates[model, plain] = known
        return _raised(known)

    def _new_template(self, layers: Sequence[Layer], spec: ModelSpec) -> _Template:
        request, notes = resolve(spec, _ANY_PROMPT, layers, prompt_origin=FILE)
        self._note(notes)
        # The configs' or the random seed stays in the request: the derived ones rest on it.
        origins = request.origins
        return _Template(request, origins | {"seed": FILE}, origins | {"seed": DERIVED})

    def _derived(self, text: str, request: Request, equal: tuple[str, str | None, Options]) -> int:
        """The seed of an item that has none: of the base seed, the text, and equal items before it.

        The settings are not in it, so that a sweep over them shows the same noise.
        """
        base = self._seed
        if base is None:
            base = request.seed if request.origins["seed"].endswith("config") else 0
        number = self._number[equal]
        self._number[equal] += 1
        document = json.dumps([base, text, number])
        return int.from_bytes(sha256(document.encode("utf-8", "surrogatepass")).digest()[:6])

    def _model(self, name: str | None) -> _Model:
        known = self._models.get(name)
        if known is None:
            try:
                known = self._new_model(name)
            except (RequestError, WeightsMissingError) as error:
                known = error
            self._models[name] = known
        return _raised(known)

    def _new_model(self, name: str | None) -> _Model:
        general = [(where, one.options) for where, one in self._configs]
        spec, notes = find_model(self._zoo, [*general, (FILE, Options(model=name))])
        layers = config_layers(self._configs, spec)
        self._note([*notes, *doubt(spec)])
        num_videos = next((o.num_videos for _, o in reversed(layers) if o.num_videos), 1)
        return _Model(spec, layers, num_videos)

    def _lock(self, spec: ModelSpec, loras: tuple[Lora, ...]) -> None:
        """Settle the commits of repositories, on which the keys rest."""
        sources = spec.name, spec.revision, loras
        if sources not in self._sources:
            try:
                lock_sources(spec, loras)
            except (WeightsMissingError, UnknownModelError) as error:
                self._sources[sources] = str(error)
            else:
                self._sources[sources] = None
        reason = self._sources[sources]
        if reason is not None:
            self.missing[reason] += 1

    def _layers(self, model: str | None, chosen: _Model, said: Options) -> list[Layer]:
        flags = self._flags
        if model is not None:
            flags = flags.model_copy(update={"model": model})
        return [*chosen.layers, (FILE, said), (FLAGS, flags)]

    def _note(self, notes: Iterable[str]) -> None:
        self.notes.update(dict.fromkeys(notes))


def _is_open(origin: str) -> bool:
    """Whether nobody chose the seed for this very video."""
    return origin == "random" or origin.endswith("config")


def _raised(found: Found | T2VError) -> Found:
    if isinstance(found, T2VError):
        raise found
    return found
