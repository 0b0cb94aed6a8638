"""VBench finds every sample of every prompt in what a batch leaves behind."""

import os
from pathlib import Path

import pytest

from bench.vbench_prompts import NUM_LINES, prompt_lines
from t2v.batch.planning.plan import plan_batch
from t2v.batch.reading.prompt_files import read_items
from t2v.batch.run_folder.folder import open_run
from t2v.batch.run_folder.vbench import gather_videos
from tests.batch.small_runs import Wish, make_run

SAMPLES = 5


def found_by_vbench(folder: Path, prompts: list[str]) -> list[str]:
    """The videos that VBench's standard evaluation takes: the rule of its `build_full_info_json`.

    It lists the folder, and the suffix of the first name it gets is the suffix of all.
    """
    names = os.listdir(folder)  # noqa: PTH208 - as VBench does it
    suffix = Path(names[0]).suffix
    wanted = [f"{prompt}-{index}{suffix}" for prompt in prompts for index in range(SAMPLES)]
    return [name for name in wanted if name in names]


@pytest.fixture
def planned(tmp_path):
    """Plan the prompts of a file in the layout of VBench."""

    def plan(lines, **options):
        path = tmp_path / "prompts.txt"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return plan_batch(read_items([path]), layout="vbench", samples=SAMPLES, **options)

    return plan


def test_every_sample_has_the_name_that_vbench_looks_for(planned):
    prompts = ["A cat. It sleeps, quietly", "a 3D model of a 1800s house.", "über: 50% off?"]
    plan = planned(prompts)
    assert sorted(job.output for job in plan.jobs) == sorted(
        f"{prompt}-{index}.mp4" for prompt in prompts for index in range(5)
    )
    assert len({job.request.seed for job in plan.jobs}) == 15


def test_the_folder_has_finished_videos_and_nothing_else(tmp_path):
    prompts = ["a red ball", "A kite, in the style of Ukiyo"]
    wishes = [
        Wish(prompt, output=f"{prompt}-{i}.mp4", seed=i) for prompt in prompts for i in range(5)
    ]
    wishes[3:4] = [Wish("a red ball", "failed", output="a red ball-3.mp4")]
    make_run(tmp_path / "run", wishes)
    with open_run(tmp_path / "run") as run:
        folder = gather_videos(run.folder, run.state)
    expected = [f"{prompt}-{i}.mp4" for prompt in prompts for i in range(5)]
    expected.remove("a red ball-3.mp4")
    assert sorted(path.name for path in folder.iterdir()) == sorted(expected)
    assert sorted(found_by_vbench(folder, prompts)) == sorted(expected)
    assert all(path.samefile(tmp_path / "run" / path.name) for path in folder.iterdir())


def test_a_video_that_was_made_again_replaces_the_one_before(tmp_path):
    make_run(tmp_path / "run", [Wish("a kite", output="a kite-0.mp4")])
    for _ in range(2):
        with open_run(tmp_path / "run") as run:
            folder = gather_videos(run.folder, run.state)
        assert (folder / "a kite-0.mp4").samefile(tmp_path / "run" / "a kite-0.mp4")
        (tmp_path / "run" / "a kite-0.mp4").rename(tmp_path / "run" / "a kite-0.old-1.mp4")
        make_run(tmp_path / "run", [Wish("a kite", output="a kite-0.mp4", seed=1, num_frames=6)])


def test_models_that_are_compared_have_a_folder_each(tmp_path):
    make_run(tmp_path / "run", [Wish("a kite", output=f"{m}/a kite-0.mp4") for m in ("wan", "ltx")])
    with open_run(tmp_path / "run") as run:
        folder = gather_videos(run.folder, run.state)
    assert [found_by_vbench(folder / m, ["a kite"]) for m in ("wan", "ltx")] == [
        ["a kite-0.mp4"]
    ] * 2


def test_the_list_has_the_size_and_shape_of_vbenchs_own():
    lines = prompt_lines()
    assert (len(lines), len(set(lines))) == (NUM_LINES, NUM_LINES) == (946, 946)
    assert sorted(map(len, lines))[NUM_LINES // 2] in range(25, 46)
    assert (min(map(len, lines)) < 15, max(map(len, lines)) > 150) == (True, True)


def test_all_of_the_list_can_be_planned(planned):
    plan = planned(prompt_lines())
    wanted = {f"{prompt}-{index}.mp4" for prompt in prompt_lines() for index in range(SAMPLES)}
    assert {job.output for job in plan.jobs} == wanted
