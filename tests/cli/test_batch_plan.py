"""What `t2v batch` says before it makes anything, and how it refuses what cannot be."""

import pytest

import t2v
from t2v.batch.making import Outcome
from t2v.batch.run_folder.folder import open_run
from t2v.plan.forecast import workload_of
from t2v.plan.history import record_timings
from t2v_cli.batch_plan import Terms, begin
from tests.cli.conftest import Cli, Result

PROMPTS = "# two\na red ball bounces\na blue square slides left --s 4 --d 3\n"


@pytest.fixture
def dry(cli: Cli, tmp_path):
    """Look at what a batch would do."""
    (tmp_path / "p.txt").write_text(PROMPTS)

    def call(*arguments: str) -> Result:
        return cli("batch", "p.txt", "--dry-run", *arguments)

    return call


def table(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()
    ]


def test_every_video_has_a_line_with_what_it_will_be(dry):
    result = dry("--num-frames", "5")
    heading, first, second = table(result.out)
    assert result.code == 0
    assert heading == [
        "from",
        "state",
        "prompt",
        "model",
        "seed",
        "size",
        "frames",
        *("length", "steps", "output"),
    ]
    assert second[:7] == [
        "p.txt:3",
        "new",
        "a blue square slides left",
        "doodle-128",
        *("3", "128x128", "5"),
    ]
    assert first[8] == "16"
    assert first[9].startswith("a-red-ball-bounces-")


def test_the_last_line_for_people_adds_it_up(dry):
    assert dry("-o", "out").err.splitlines()[-1] == "2 videos by doodle-128 -> out"


def test_nothing_is_made_and_no_folder_either(dry, tmp_path):
    dry("-o", "out")
    assert [path.name for path in tmp_path.iterdir()] == ["p.txt"]


def test_quiet_prints_the_paths_alone(dry):
    result = dry("-q")
    assert len(result.out.splitlines()) == 2
    assert all(line.startswith("p/") and line.endswith(".mp4") for line in result.out.splitlines())
    assert result.err == ""


def test_as_json_every_value_has_its_origin(dry):
    plan = dry("--seed", "5", "--steps", "3", "--json").json()
    first, second = (job["request"] for job in plan["jobs"])
    assert (plan["num_jobs"], plan["num_done"], plan["folder"]) == (2, 0, "p")
    assert first["num_inference_steps"] == {"value": 3, "origin": "command line"}
    assert first["seed"]["origin"] == "derived from its text"
    assert second["seed"] == {"value": 3, "origin": "prompt file"}
    assert plan["jobs"][0]["source"] == "p.txt:2"


def test_a_flag_counts_more_than_the_file_and_says_so(dry):
    result = dry("--steps", "3")
    assert "--num-inference-steps counts more than what 1 item says" in result.err


def test_sweeps_multiply(dry):
    assert len(dry("--sweep", "guidance=2,3", "--sweep", "frames=5,9", "-q").out.split()) == 8


def test_samples_are_videos_of_each_item(dry):
    assert dry("--samples", "3", "--json").json()["num_jobs"] == 6


def test_several_models_have_a_video_of_each_item(dry):
    jobs = dry("-m", "doodle", "-m", "ltx-video-2b-0.9", "--json").json()["jobs"]
    models = [job["request"]["model"]["value"] for job in jobs]
    assert models == ["doodle-128"] * 2 + ["ltx-video-2b-0.9"] * 2


def test_a_model_that_is_not_here_is_planned_without_a_network(dry):
    result = dry("-m", "wan2.1-t2v-1.3b")
    assert result.code == 0
    assert "is not on this machine: " in result.err


def test_shares_add_up(dry):
    both = [dry("--shard", f"{n}/2", "--json").json()["num_jobs"] for n in (1, 2)]
    assert sum(both) == 2


def test_a_share_that_goes_on_is_announced_with_what_is_left_of_it(tmp_path):
    shard = t2v.Shard.parse("1/2")
    foxes = [t2v.Item(f"a fox in {year}", t2v.Options()) for year in range(2000, 2020)]
    plan = t2v.plan_batch(foxes, shard=shard)
    made, failed, *left = plan.jobs
    group = plan.groups[0]
    record_timings(workload_of(group.spec, made.request, group.machine.device_name), {"denoise": 1})
    with open_run(tmp_path, shard=shard) as run:
        (tmp_path / made.output).write_bytes(b"frames")
        run.ended(made, Outcome(made.key, "ok", made.output))
        run.ended(failed, Outcome(failed.key, "failed"))

    said = []
    begin(plan, tmp_path, Terms(), said.append, yes=True)

    assert said[0].message == (
        f"{len(plan.jobs)} videos by doodle-128, 1 there already, 1 failed before, "
        f"about {len(left)} s, one after another -> {tmp_path}"
    )


def test_prompts_come_through_a_pipe(program):
    result = program("batch", "-", "--dry-run", "-q", stdin=PROMPTS)
    assert (result.code, len(result.out.splitlines())) == (0, 2)
    assert result.out.startswith("batch/a-red-ball-")


def test_a_folder_that_holds_something_else_is_not_taken_unasked(dry, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "thesis.tex").write_text("mine")
    result = dry()
    assert (result.code, result.out) == (2, "")
    assert "p is there and holds something else. Name the folder of the run with -o." in result.err
    assert dry("-o", "p").code == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-m", "dodle"), "p.txt:2 and 1 more: No model 'dodle' in the zoo. Did you mean 'doodle'"),
        (("--stepz", "3"), "t2v batch has no option --stepz. Did you mean --steps?"),
        (("--steps", "0"), "--num-inference-steps must be at least 1, not 0"),
        (("--seed", "-1"), "--seed must be at least 0, not -1"),
        (("--shard", "3/2"), "--shard 3/2: shares are counted from 1"),
        (("--shard", "two"), "--shard must look like 2/8"),
        (("--retry", "-1"), "--retry: '-1' is no whole number from 0 up"),
        (("--samples", "0"), "--samples: '0' is no whole number from 1 up"),
        (("--max-failures", "x"), "--max-failures: 'x' is no whole number"),
        (("--workers", "many"), "--workers: 'many' is no whole number from 1 up"),
        (("--timeout", "soon"), "--timeout: 'soon' is no time in seconds"),
        (("--layout", "deep"), "--layout: 'deep' is none of flat, vbench"),
        (("--engine", "slurm"), "--engine: 'slurm' is none of local, ray"),
        (("--address", "auto"), "--address: is for --engine ray"),
        (("--progress", "loud"), "--progress: 'loud' is none of auto, bar, json, none"),
        (("--set", "steps"), "--set: 'steps' is not KEY=VALUE"),
        (("--sweep", "steps="), "--sweep: 'steps=' is not KEY=A,B,..."),
        (("--sweep", "steps=1,2", "--sweep", "steps=3"), "--sweep: 'steps' is given twice"),
        (("--set", "stepz=3"), "--set stepz"),
        (("--sweep", "steps=4,8", "--steps", "3"), "--sweep: steps is given by --steps already"),
        (("--set", "model=doodle", "-m", "doodle"), "--set: model is given by --model already"),
        (("--size", "64x64", "--width", "64"), "say the size once"),
        (("-o", ""), "--output: needs the name of a folder"),
        (("-o", "p.txt"), "p.txt is a file; -o names the folder of the run."),
        (("--size", "big"), "--size must look like 832x480"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_typed_wrong_is_told_in_a_line(dry, arguments, complaint):
    result = dry(*arguments)
    assert (result.code, result.out) == (2, "")
    assert complaint in result.err
    assert len(result.err.splitlines()) <= 2


def test_a_command_without_files_says_what_it_needs(cli):
    assert cli("batch").err.splitlines()[0] == "error: t2v batch needs FILES."


@pytest.mark.parametrize("words", [("a", "red", "ball"), ("a red ball",)], ids=str)
def test_a_prompt_in_the_place_of_files_is_told_the_command_for_one_video(cli, words):
    result = cli("batch", *words)
    assert result.code == 2
    assert result.err == (
        "error: 'a red ball': batch takes files of prompts, and this is none. "
        "For one video: t2v generate 'a red ball'\n"
    )


def test_a_dry_run_for_a_cluster_does_not_join_it(dry):
    pytest.importorskip("ray")
    result = dry("--engine", "ray", "--address", "203.0.113.1:1")
    assert result.code == 0
    assert "The cluster was not asked" in result.err


def test_every_missing_file_is_told_with_the_nearest_name(dry, cli):
    result = cli("batch", "p.tx", "other.csv")
    assert result.code == 2
    assert result.err.splitlines() == [
        "error: p.tx: there is no such file. Did you mean 'p.txt'?",
        "other.csv: there is no such file.",
    ]


def test_all_mistakes_of_all_files_are_told_at_once(cli, tmp_path):
    lines = [f"a fox number {n} --stepz 3" for n in range(12)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    (tmp_path / "b.jsonl").write_text('{"prompt": "a fox", "seeed": 3}\n')
    result = cli("batch", "a.txt", "b.jsonl")
    assert result.code == 2
    assert len(result.err.splitlines()) == 13
    assert "a.txt:12:" in result.err
    assert "b.jsonl:1:" in result.err.splitlines()[-1]


def test_hostile_prompts_reach_the_terminal_as_text(cli, tmp_path):
    (tmp_path / "p.jsonl").write_text('{"prompt": "a fox \\u001b[31m\\u202e evil"}\n')
    result = cli("batch", "p.jsonl", "--dry-run")
    assert result.code == 0
    assert not {"\x1b", "\u202e"} & set(result.out + result.err)
