"""From items to a plan of the whole batch, without a tensor: what a dry run prints and a run obeys."""

from collections import Counter
from collections.abc import Iterable, Sequence

from t2v.batch.items import Item
from t2v.batch.jobs import BatchPlan, Layout
from t2v.batch.planning.grouping import grouped
from t2v.batch.planning.identity import job_key
from t2v.batch.planning.naming import Draft, name_all
from t2v.batch.planning.settling import Settler
from t2v.batch.planning.shards import Shard
from t2v.batch.reading.mistakes import Mistakes
from t2v.errors import RequestError, WeightsMissingError
from t2v.plan.config import read_configs
from t2v.plan.machine import Machine
from t2v.plan.options import Options
from t2v.plan.request import Request
from t2v.plan.wording import flag_name
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import ModelSpec


def plan_batch(
    items: Iterable[Item],
    options: Options | None = None,
    *,
    models: Sequence[str] = (),
    seed: int | None = None,
    samples: int | None = None,
    layout: Layout = "flat",
    shard: Shard | None = None,
    zoo: Zoo | None = None,
    machine: Machine | None = None,
    config: bool = True,
    is_locked: bool = True,
) -> BatchPlan:
    """Settle everything about a batch that can be known before a weight is loaded.

    Args:
        items: What is asked for; taken one at a time.
        options: What holds for every item, whatever it says itself.
        models: The models that make every item; each makes all of them.
        seed: What the seeds of items without one are derived from; 0 without it, or a config's.
        samples: Videos of each item.
        layout: How outputs are named: `flat`, or `vbench` for `$prompt-$i.mp4`.
        shard: The share of the jobs that is made here.
        zoo: The models to choose from; by default all of the zoo and the user's own.
        machine: The machine to plan for; by default this one.
        config: Whether the user's and the project's config have a say.
        is_locked: Whether some item must be possible with the weights that are here or can be had;
            for a look at the plan alone that does not matter.

    Raises:
        WeightsMissingError: Not one item can be made: a repository cannot be reached, or is none.
        PromptFilesError: Items cannot be made; the message has all of them, each with its place.
        RequestError: There are no items.
    """
    configs, notes = read_configs() if config else ([], [])
    flags = (options or Options()).model_copy(update={"num_videos": samples})
    settler = Settler(zoo if zoo is not None else Zoo.load(), configs, flags, seed)
    drafting = _Drafting(settler, flags, tuple(dict.fromkeys(models)) or (None,))
    drafting.draft(items)
    if is_locked:
        drafting.refuse_missing()
    drafts = list(drafting.drafts.values())
    name_all([draft for _, draft in drafts], layout, is_compared=len(models) > 1)
    chosen = ((s, d) for s, d in drafts if shard is None or shard.has(d.key))
    made = grouped(chosen, machine)
    return BatchPlan(
        made.groups,
        made.jobs,
        tuple(dict.fromkeys([*notes, *settler.notes, *drafting.notes()])),
        drafting.num_repeats,
        layout,
    )


class _Drafting:
    """Gathers the videos of items, each once, and all that is wrong with them."""

    def __init__(self, settler: Settler, flags: Options, models: Sequence[str | None]) -> None:
        self.drafts: dict[str, tuple[ModelSpec, Draft]] = {}
        self.num_repeats = 0
        self._num_settled = 0
        self._settler = settler
        # Of several models each makes all, whatever an item says.
        self._flags = flags.said() | ({"model": models[0]} if models[0] else {})
        self._models = models
        self._overruled: Counter[str] = Counter()
        self._wrong: dict[str, list[str]] = {}

    def draft(self, items: Iterable[Item]) -> None:
        """Draft all items; one that cannot be made does not keep the others from being looked at."""
        number = 0
        for number, item in enumerate(items, 1):  # noqa: B007
            self._note_overruled(item)
            for model in self._models:
                try:
                    self._draft(item, *self._settler.settle(item, model))
                    self._num_settled += 1
                except (RequestError, WeightsMissingError) as error:
                    self._wrong.setdefault(str(error), []).append(item.source)
        if self._wrong:
            self._refuse_mistakes()
        if not number:
            raise RequestError("There is nothing to make: the prompt files hold no prompt.")

    def refuse_missing(self) -> None:
        """Do not begin where nothing would come of it."""
        missing = self._settler.missing
        if missing and missing.total() == self._num_settled:
            raise WeightsMissingError("\n".join(missing))

    def notes(self) -> list[str]:
        """What the flags changed, and what is asked for twice."""
        notes = [
            f"{flag_name(name)} counts more than what {_items(number)} in the prompt files"
            for name, number in self._overruled.items()
            if number
        ]
        notes += self._settler.missing
        if self.num_repeats:
            notes.append(f"asked for more than once, and made once: {self.num_repeats:,}")
        return notes

    def _draft(self, item: Item, spec: ModelSpec, requests: Sequence[Request]) -> None:
        for sample, request in enumerate(requests):
            key = job_key(spec, request)
            if key in self.drafts:
                self.num_repeats += 1
                continue
            draft = Draft(
                key, request, item.custom_id, item.output, item.source, sample, len(requests)
            )
            self.drafts[key] = spec, draft

    def _note_overruled(self, item: Item) -> None:
        said = item.options
        for name, value in self._flags.items():
            own = getattr(said, name)
            self._overruled[name] += int(own is not None and own != value)

    def _refuse_mistakes(self) -> None:
        mistakes = Mistakes()
        for message, sources in self._wrong.items():
            mistakes.add(_places(sources), message)
        mistakes.check()


def _items(number: int) -> str:
    return f"{number:,} items say" if number > 1 else "1 item says"


def _places(sources: Sequence[str]) -> str:
    """`prompts.txt:3`, or `prompts.txt:3 and 9 more`."""
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"{sources[0]}{more}" if sources[0] else ""
