"""A batch is settled before a weight is loaded: seeds, names, order, shares, and what is wrong."""

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from t2v.batch.items import Item
from t2v.batch.jobs import BatchPlan
from t2v.batch.planning.estimating import BatchEstimate, estimate_batch
from t2v.batch.planning.plan import plan_batch
from t2v.batch.planning.shards import Shard
from t2v.errors import DocumentError, RequestError, WeightsMissingError
from t2v.plan.forecast import workload_of
from t2v.plan.history import record_timings
from t2v.plan.machine import GIB, Machine
from t2v.plan.options import Options
from t2v.plan.seeds import derive_seed
from t2v.zoo.catalog import Zoo

CPU = Machine("cpu", "Some CPU", 32 * GIB, 32 * GIB, 32 * GIB, 32 * GIB, 8)


def items(*prompts: str, **options: object) -> list[Item]:
    said = Options(**options)
    return [Item(text, said, source=f"p.txt:{n}") for n, text in enumerate(prompts, 1)]


def plan(asked: list[Item], options: Options | None = None, **how: object) -> BatchPlan:
    return plan_batch(asked, options, machine=CPU, **how)


def seeds(asked: list[Item], **how: object) -> dict[str, int]:
    return {job.source: job.request.seed for job in plan(asked, **how).jobs}


def wrong(asked: list[Item], options: Options | None = None, **how: object) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        plan(asked, options, **how)
    return str(caught.value).splitlines()


def test_the_same_items_have_the_same_seeds_every_time():
    assert seeds(items("a fox", "a dog")) == seeds(items("a fox", "a dog"))
    assert seeds(items("a fox")) == {"p.txt:1": 184777023806315}


def test_a_line_more_or_less_changes_no_other_seed():
    before = {job.request.prompt: job.request.seed for job in plan(items("a fox", "a dog")).jobs}
    after = plan(items("a cow", "a fox", "a cat", "a dog")).jobs
    assert before.items() <= {job.request.prompt: job.request.seed for job in after}.items()


def test_equal_items_have_different_seeds():
    made = plan(items("a fox", "a fox", "a fox"))
    assert len({job.request.seed for job in made.jobs}) == 3
    assert made.num_repeats == 0


def test_settings_do_not_change_the_seed_so_that_sweeps_can_be_compared():
    fox = items("a fox", num_inference_steps=4) + items("a fox", num_inference_steps=8)
    assert len({job.request.seed for job in plan(fox).jobs}) == 1


def test_several_models_make_every_item_from_the_same_seed():
    made = plan(items("a fox"), models=("doodle", "ltx-video-2b-0.9"), is_locked=False)
    assert [job.request.model for job in made.jobs] == ["doodle-128", "ltx-video-2b-0.9"]
    assert len({job.request.seed for job in made.jobs}) == 1


def test_the_base_seed_changes_all_seeds_but_those_that_items_have():
    asked = [*items("a fox"), replace(items("a dog", seed=7)[0], source="p.txt:2")]
    first, second = seeds(asked), seeds(asked, seed=1)
    assert first["p.txt:1"] != second["p.txt:1"]
    assert first["p.txt:2"] == second["p.txt:2"] == 7


def test_the_origin_of_a_seed_is_told():
    made = plan([*items("a fox"), *items("a dog", seed=7)], samples=2)
    origins = [job.request.origins["seed"] for job in made.jobs]
    first = made.jobs[0].request.seed
    assert origins == [
        "derived from its text",
        f"derived from {first}",
        "prompt file",
        "derived from 7",
    ]


def test_samples_have_the_seeds_that_generate_would_give_them():
    made = plan(items("a fox", seed=7), samples=3)
    assert [job.request.seed for job in made.jobs] == [derive_seed(7, n) for n in range(3)]


def test_the_number_of_videos_of_an_item_makes_as_many():
    assert len(plan(items("a fox", num_videos=4)).jobs) == 4


def test_a_seed_of_the_configuration_is_the_base(tmp_path, monkeypatch, home):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t2v.yaml").write_text("seed: 5\n")
    assert seeds(items("a fox", "a dog")) == seeds(items("a fox", "a dog"), seed=5)


def test_a_story_has_a_seed_of_its_own_text(tmp_path):
    story = [{"at": "0s", "prompt": "a fox"}, {"at": "2s", "prompt": "it rains"}]
    other = [{"at": "0s", "prompt": "a fox"}, {"at": "2s", "prompt": "it snows"}]
    made = plan([Item(None, Options(story=text, seconds=4)) for text in (story, other)])
    assert [job.request.prompt for job in made.jobs] == ["a fox", "a fox"]
    assert made.jobs[0].request.seed != made.jobs[1].request.seed
    assert all(job.request.long.shots[0].seed == job.request.seed for job in made.jobs)
    assert {job.request.origins["seed"] for job in made.jobs} == {"derived from its text"}


def test_long_videos_are_planned_with_their_own_prompts():
    made = plan(items("a fox", "a dog", seconds=6))
    assert [job.request.long.windows[-1].prompt for job in made.jobs] == ["a fox", "a dog"]


def test_what_long_videos_alone_have_may_be_said_of_all():
    quick = Options(model="doodle-128", device="cpu")
    items = [Item("a clip", quick), Item("a film", quick.model_copy(update={"num_frames": 80}))]

    clip, film = plan_batch(items, Options(overlap=4), seed=1).jobs

    assert clip.request.long is None
    assert film.request.long.overlap == 1


def test_what_a_flag_says_counts_more_than_the_files_and_is_told():
    made = plan(items("a fox", "a dog", num_inference_steps=9), Options(num_inference_steps=4))
    assert {job.request.num_inference_steps for job in made.jobs} == {4}
    note = "--num-inference-steps counts more than what 2 items say in the prompt files"
    assert note in made.notes


def test_an_item_that_is_asked_for_twice_is_made_once():
    made = plan(items("a fox", "a fox", seed=7))
    assert (len(made.jobs), made.num_repeats) == (1, 1)
    assert "asked for more than once, and made once: 1" in made.notes


def test_videos_of_one_model_stand_together_and_of_these_the_alike():
    asked = [
        Item("one", Options(model="doodle", width=64, height=64)),
        Item("two", Options(model="ltx-video-2b-0.9")),
        Item("three", Options(model="doodle")),
        Item("four", Options(model="doodle", width=64, height=64)),
    ]
    made = plan(asked, is_locked=False)
    assert [job.request.prompt for job in made.jobs] == ["one", "four", "three", "two"]
    assert [job.group for job in made.jobs] == [0, 0, 0, 1]
    assert [group.spec.name for group in made.groups] == ["doodle-128", "ltx-video-2b-0.9"]


@pytest.mark.parametrize(
    "settled", [{"device": "cpu"}, {"dtype": "bfloat16"}, {"memory": "none"}, {"scheduler": "X"}]
)
def test_what_is_settled_at_loading_makes_a_group(settled):
    assert len(plan([*items("a fox"), *items("a dog", **settled)]).groups) == 2


def test_the_memory_of_a_group_does_for_the_largest_of_it():
    gpu = replace(CPU, device="cuda", device_name="GPU", free_bytes=24 * GIB, total_bytes=24 * GIB)
    small = Item("small", Options(model="wan2.1-t2v-1.3b", width=64, height=64, num_frames=5))
    large = Item("large", Options(model="wan2.1-t2v-1.3b", width=1280, height=720))
    alone = plan_batch([small], machine=gpu, is_locked=False).groups[0].memory
    both = plan_batch([small, large], machine=gpu, is_locked=False).groups[0].memory
    assert both.estimated_bytes > alone.estimated_bytes


def test_shares_are_disjoint_and_whole_and_name_things_alike():
    asked = items(*(f"fox {n}" for n in range(40)))
    whole = {job.key: job.output for job in plan(asked).jobs}
    parts = [{j.key: j.output for j in plan(asked, shard=Shard(n, 3)).jobs} for n in (1, 2, 3)]
    assert sum(map(len, parts)) == 40
    assert parts[0] | parts[1] | parts[2] == whole
    assert all(parts)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1/99999", "1", "1/2/3", "-1/4", "a/b", ""])
def test_a_share_that_cannot_be_is_refused(text):
    with pytest.raises(RequestError, match="--shard"):
        Shard.parse(text)


def test_every_mistake_is_told_with_its_place():
    asked = [
        *items("a fox", ""),
        Item("a cat", Options(model="dodle"), source="p.txt:3"),
        Item("a dog", Options(model="dodle"), source="p.txt:4"),
        Item("a cow", Options(guidance_scale_2=3), source="p.txt:5"),
    ]
    assert wrong(asked) == [
        "p.txt:2: The prompt is empty; say what the video should show",
        "p.txt:3 and 1 more: No model 'dodle' in the zoo. Did you mean 'doodle' or 'doodle-128'?",
        "p.txt:5: doodle-128 has one denoiser and takes no --guidance-scale-2",
    ]


def test_of_many_mistakes_a_hundred_are_told():
    asked = [Item("x", Options(model=f"no-{n}"), source=f"p:{n}") for n in range(130)]
    lines = wrong(asked)
    assert (len(lines), lines[-1]) == (101, "and 30 more")


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(RequestError, match="nothing to make"):
        plan([])


def test_an_endless_video_is_refused():
    assert "a batch has an end" in wrong(items("a fox", endless=True))[0]


def test_an_unknown_model_of_the_command_line_is_told_once():
    lines = wrong(items("a fox", "a dog"), models=("dodle",))
    assert len(lines) == 1


def remember(made: BatchPlan, timings_s: dict[str, float], num_lanes: int) -> None:
    spec, request = made.groups[0].spec, made.jobs[0].request
    record_timings(workload_of(spec, request, "Some CPU", num_lanes), timings_s)


def test_the_estimate_adds_up_every_video_and_each_loading_once():
    made = plan(items("a fox", "a dog", num_inference_steps=10))
    assert estimate_batch(made, made.jobs) is None
    remember(made, {"load": 5.0, "encode": 1.0, "denoise": 10.0, "decode": 2.5}, num_lanes=1)
    assert estimate_batch(made, made.jobs) == BatchEstimate(5 + 2 * 13.5, num_at_once=1)


def test_where_nothing_is_left_no_time_is_left():
    assert estimate_batch(plan(items("a fox")), []) == BatchEstimate(0, num_at_once=0)


def test_what_was_made_in_lanes_is_expected_in_lanes_again():
    made = plan(items("a fox", "a dog", "a cow"))
    remember(made, {"load": 5.0, "denoise": 10.0}, num_lanes=1)
    remember(made, {"load": 5.0, "denoise": 16.0}, num_lanes=2)
    assert estimate_batch(made, made.jobs) == BatchEstimate(5 + 2 * 16, num_at_once=2)
    assert estimate_batch(made, made.jobs[:1]) == BatchEstimate(5 + 16, num_at_once=1)
    assert estimate_batch(made, made.jobs, lanes=1) == BatchEstimate(5 + 3 * 10, num_at_once=1)


def test_a_model_that_is_not_here_is_told_before_it_runs():
    made = plan(items("a fox", model="wan2.1-t2v-1.3b"), is_locked=False)
    assert any("is not on this machine: " in note for note in made.groups[0].notes)


def stream(number: int) -> Iterator[Item]:
    for n in range(number):
        said = Options(seed=n if n % 2 else None, num_inference_steps=2 + n % 9)
        yield Item(f"a red ball number {n} bounces over green hills", said, source=f"p.txt:{n}")


def test_ten_thousand_items_are_planned_in_seconds_and_little_memory():
    zoo = Zoo.load(overlays=False)
    began = time.process_time()
    made = plan_batch(stream(10_000), machine=CPU, zoo=zoo)
    assert time.process_time() - began < 6  # 1.2 s of an idle core; four times as much is a fault
    assert len({job.output for job in made.jobs}) == 10_000


def test_the_plan_of_an_item_takes_a_few_kilobytes():
    plan_batch(stream(100), machine=CPU)
    tracemalloc.start()
    made = plan_batch(stream(2_000), machine=CPU)
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(made.jobs) == 2_000
    assert peak < 2_000 * 5_000
    assert current < peak


def test_weights_that_cannot_be_had_stop_only_the_items_that_need_them():
    asked = [*items("a fox"), *items("a dog", lora=("nobody/nothing",))]
    made = plan(asked)
    assert len(made.jobs) == 2
    assert any(note.startswith("nobody/nothing is not in the cache") for note in made.notes)
    with pytest.raises(WeightsMissingError, match="nobody/nothing is not in the cache"):
        plan(asked[1:])


def test_a_repository_that_nothing_is_known_of_is_told_with_its_place():
    asked = [*items("a fox"), Item("a dog", Options(model="nobody/nothing"), source="p.txt:2")]
    assert wrong(asked)[0].startswith("p.txt:2: nobody/nothing is not in the cache")
