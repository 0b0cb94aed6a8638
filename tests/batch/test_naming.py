"""What videos of a batch are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.batch.items import Item
from t2v.batch.planning.plan import plan_batch
from t2v.errors import DocumentError
from t2v.plan.machine import GIB, Machine
from t2v.plan.options import Options

CPU = Machine("cpu", "Some CPU", 32 * GIB, 32 * GIB, 32 * GIB, 32 * GIB, 8)


def outputs(*asked: Item, **how: object) -> list[str]:
    return [job.output for job in plan_batch(asked, machine=CPU, config=False, **how).jobs]


def ids(*asked: Item, **how: object) -> list[str]:
    return [job.id for job in plan_batch(asked, machine=CPU, config=False, **how).jobs]


def item(prompt: str = "a fox", *, source: str = "p.txt:1", **more: object) -> Item:
    named = {name: more.pop(name) for name in ("custom_id", "output") if name in more}
    return Item(prompt, Options(**({"seed": 7} | more)), source=source, **named)


def test_a_name_is_made_of_the_prompt_and_the_key():
    [job] = plan_batch([item("A red ball, bouncing!")], machine=CPU, config=False).jobs
    assert job.id == f"a-red-ball-bouncing-{job.key[:8]}"
    assert job.output == f"{job.id}.mp4"


def test_an_item_with_a_name_of_its_own_keeps_it():
    assert outputs(item(custom_id="Fox 1")) == ["fox-1.mp4"]


def test_samples_of_a_named_item_are_numbered():
    assert outputs(item(custom_id="fox"), samples=3) == ["fox-1.mp4", "fox-2.mp4", "fox-3.mp4"]


def test_names_that_become_the_same_get_the_key():
    made = ids(item(custom_id="Fox"), item("a dog", custom_id="fox"))
    assert all(name.startswith("fox-") and len(name) == 12 for name in made)
    assert len(set(made)) == 2


@pytest.mark.parametrize(
    ("codec", "suffix"), [("auto", ".mp4"), ("gif", ".gif"), ("prores", ".mov"), ("png", "")]
)
def test_the_codec_decides_the_kind_of_file(codec, suffix):
    assert outputs(item(custom_id="fox", codec=codec)) == [f"fox{suffix}"]


def test_an_output_that_is_asked_for_is_taken():
    assert outputs(item(output="animals/fox.webm")) == ["animals/fox.webm"]


def test_a_template_is_filled_in():
    assert outputs(item(output="{model}/{prompt}-{seed}-{index}.mp4"), samples=2) == [
        "doodle-128/a-fox-7-0.mp4",
        "doodle-128/a-fox-237085666031134-1.mp4",
    ]


def test_samples_with_one_output_are_numbered():
    assert outputs(item(output="fox.mp4"), samples=2) == ["fox-1.mp4", "fox-2.mp4"]


def test_videos_of_one_line_with_one_output_get_their_keys():
    made = outputs(item(output="fox.mp4"), item(output="fox.mp4", num_inference_steps=3))
    assert all(name.startswith("fox-") and name.endswith(".mp4") for name in made)
    assert len(set(made)) == 2


@pytest.mark.parametrize("other", ["fox.mp4", "FOX.mp4", "fox.gif"])
def test_two_lines_with_one_output_or_one_sidecar_are_a_mistake(other):
    first, second = item(output="fox.mp4"), item("b", output=other, source="p.txt:2")
    with pytest.raises(DocumentError, match=r"^p.txt:2: .* is the output of p.txt:1 already"):
        outputs(first, second)


@pytest.mark.parametrize(
    "output",
    [
        "/tmp/x.mp4",
        "../x.mp4",
        "a/../../x.mp4",
        "C:\\x.mp4",
        "a\\b.mp4",
        ".work/x.mp4",
        "~/x.mp4",
        "x.mpg",
        "x",
        "",
        "x\n.mp4",
        "{nothing}.mp4",
        "a" * 300 + ".mp4",
        "journal.jsonl",
    ],
)
def test_an_output_that_cannot_be_is_refused_with_its_place(output):
    with pytest.raises(DocumentError, match=r"^p.txt:1: "):
        outputs(item(output=output))


def test_an_output_that_does_not_hold_its_codec_is_refused():
    with pytest.raises(DocumentError, match=r"^p.txt:1: .*\.gif does not hold hevc"):
        outputs(item(output="x.gif", codec="hevc"))


def test_of_many_impossible_outputs_a_hundred_are_told():
    asked = [item(f"a fox {n}", output="x.exe", source=f"p.txt:{n}") for n in range(1, 131)]
    with pytest.raises(DocumentError) as caught:
        outputs(*asked)
    first, *_, last = lines = str(caught.value).splitlines()
    assert first.startswith("p.txt:1: x.exe: .exe is no known kind of video. Known: .mp4, ")
    assert (len(lines), last) == (101, "and 30 more")


def test_a_name_that_is_asked_for_is_not_given_to_another():
    [plain] = ids(item("a dog"))
    made = outputs(item("a dog"), item(output=f"{plain}.mp4", source="p.txt:2"))
    assert len(set(made)) == 2
    assert f"{plain}.mp4" in made


def test_vbench_names_are_the_prompt_and_the_number_of_the_sample():
    made = outputs(item("A fox, in the snow."), item("a dog"), layout="vbench", samples=2)
    assert made == [
        "A fox, in the snow.-0.mp4",
        "A fox, in the snow.-1.mp4",
        "a dog-0.mp4",
        "a dog-1.mp4",
    ]


def test_vbench_counts_on_where_a_prompt_comes_again():
    assert outputs(item(), item(seed=8), layout="vbench") == ["a fox-0.mp4", "a fox-1.mp4"]


def test_vbench_refuses_other_settings_of_a_prompt_as_samples_of_it():
    different = (item(), item(num_inference_steps=4, source="p.txt:2"))
    with pytest.raises(DocumentError, match=r"^p.txt:2: .* differs in num_inference_steps\."):
        outputs(*different, layout="vbench")


def test_vbench_has_a_folder_for_each_of_several_models():
    made = outputs(item(), layout="vbench", models=("doodle", "ltx-video-2b-0.9"), is_locked=False)
    assert made == ["doodle-128/a fox-0.mp4", "ltx-video-2b-0.9/a fox-0.mp4"]


@pytest.mark.parametrize("prompt", ["a fox/a dog", "a fox\nruns", "a " * 200])
def test_vbench_refuses_a_prompt_that_is_no_file_name(prompt):
    with pytest.raises(DocumentError, match=r"^p.txt:1: --layout vbench makes the prompt"):
        outputs(item(prompt), layout="vbench")


PROMPTS = st.text(min_size=1).filter(lambda text: text.strip() and text.isprintable())


@given(st.lists(st.tuples(PROMPTS, st.none() | PROMPTS), min_size=1, max_size=8))
def test_names_are_distinct_and_safe_whatever_the_prompts(texts):
    asked = [
        item(prompt, custom_id=name, source=f"p:{n}", seed=n)
        for n, (prompt, name) in enumerate(texts)
    ]
    made = outputs(*asked)
    assert len({name.casefold() for name in made}) == len(asked)
    assert all(name and name[0] not in ".-~" and len(name.encode()) < 224 for name in made)
    assert not any(letter in name for name in made for letter in '/\\:*?"<>|\0')


def test_names_do_not_depend_on_what_stands_around():
    alone = outputs(item("a dog"))
    among = outputs(*(item(f"fox {n}") for n in range(9)), item("a dog"))
    assert alone[0] in among
