"""The prompts of a video without an end, from a file that grows."""

import json
import os
from fractions import Fraction
from pathlib import Path

from t2v.plan.live import LivePrompts
from t2v.plan.moments import parse_moment
from t2v.plan.story import Cue, read_story
from t2v.plan.timeline import timed
from t2v.zoo.spec import LatentRule


def live(file: Path | None, *cues: Cue) -> LivePrompts:
    return LivePrompts(cues, Fraction(16), LatentRule(factor=4), 7, "blur", file)


def written(file: Path, text: str) -> Path:
    """The file with another time stamp, however quickly it is written again."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 1_000_000, before + 1_000_000))
    return file


def test_each_prompt_holds_from_its_time_on():
    prompts = live(None, Cue("a fox"), Cue("rain", parse_moment("5s"), negative_prompt="sun"))
    assert [prompts(0, latent) for latent in (0, 20, 21, 90)] == [
        ("a fox", "blur"),
        ("a fox", "blur"),
        ("rain", "sun"),
        ("rain", "sun"),
    ]


def test_what_is_added_without_a_time_holds_from_the_next_window_on(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    assert prompts(0, 0)[0] == "a fox"
    written(file, "- a fox\n- rain\n")
    assert prompts(0, 14)[0] == "rain"
    written(file, "- a fox\n- rain\n- snow\n")
    assert prompts(0, 28)[0] == "snow"


def test_what_is_added_leaves_the_first_prompts_where_they_were(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n- rain\n- snow\n")
    cues = timed(read_story(file), 81, Fraction(16))
    prompts = live(file, *cues)
    written(file, "- a fox\n- rain\n- snow\n- {at: 20s, prompt: an owl}\n")
    assert [prompts(0, latent)[0] for latent in (14, 28, 42, 81)] == [
        "a fox",
        "rain",
        "snow",
        "an owl",
    ]


def test_what_was_shown_is_remembered_with_the_frame_it_came_at(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    prompts(0, 0)
    prompts(0, 14)
    written(file, "- a fox\n- rain\n")
    prompts(0, 28)
    assert [(cue.prompt, str(cue.at)) for cue in prompts.used] == [
        ("a fox", "0f"),
        ("rain", "81f"),
    ]


def test_what_was_shown_can_be_shown_again():
    prompts = live(
        None, Cue("a fox"), Cue("rain", parse_moment("3s")), Cue("snow", parse_moment("6s"))
    )
    latents = range(0, 60, 7)
    shown = [prompts(0, latent) for latent in latents]
    again = live(None, *prompts.used)
    assert [again(0, latent) for latent in latents] == shown


def test_a_run_that_goes_on_shows_what_was_shown_and_then_what_the_file_says_now(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    begun = live(file, *read_story(file))
    assert [begun(0, latent)[0] for latent in (0, 14)] == ["a fox", "a fox"]
    kept = json.loads(json.dumps(begun.to_dict()))
    written(file, "- a fox\n- rain\n")

    again = live(file, Cue("a fox"))
    again.recall(kept)

    assert [again(0, latent)[0] for latent in (0, 14, 28)] == ["a fox", "a fox", "rain"]
    assert [cue.to_dict() for cue in again.used] == [
        {"at": "0f", "prompt": "a fox"},
        {"at": "81f", "prompt": "rain"},
    ]


def test_a_cut_ends_a_shot_at_its_time_once_no_further_window_is_needed():
    prompts = live(None, Cue("a fox"), Cue("rain", parse_moment("10s"), cut=True, seed=3))
    prompts(0, 0)
    assert prompts.end(0, 0, 57) is None
    prompts(0, 14)
    assert prompts.end(0, 58, 113) is None
    prompts(0, 28)
    assert prompts.end(0, 114, 169) == 160
    assert prompts.openings == [(0, 7), (160, 3)]
    assert prompts(1, 0)[0] == "rain"


def test_a_cut_that_is_added_without_a_time_comes_with_the_next_window(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    prompts(0, 0)
    written(file, "- a fox\n- {prompt: rain, cut: true}\n")
    assert prompts(0, 14)[0] == "a fox"
    assert prompts.end(0, 58, 113) == 58
    assert prompts(1, 0)[0] == "rain"
    assert prompts.end(1, 0, 57) is None


def test_a_cut_whose_time_is_past_when_it_is_added_comes_as_soon_as_it_can(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    prompts(0, 0)
    written(file, "- a fox\n- {at: 1s, prompt: rain, cut: true}\n- {at: 1m, prompt: snow}\n")
    prompts(0, 14)
    assert prompts.end(0, 58, 113) == 58
    assert [(cue.prompt, str(cue.at)) for cue in prompts.used] == [("a fox", "0f"), ("rain", "58f")]


def test_a_run_that_goes_on_cuts_where_the_earlier_one_did(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    begun = live(file, *read_story(file))
    begun(0, 0)
    written(file, "- a fox\n- {prompt: rain, cut: true}\n")
    begun(0, 14)
    begun.end(0, 58, 113)
    begun(1, 0)
    kept = json.loads(json.dumps(begun.to_dict()))

    again = live(file, Cue("a fox"))
    again.recall(kept)

    assert again(0, 0)[0] == "a fox"
    assert again.end(0, 0, 57) is None
    assert again(0, 14)[0] == "a fox"
    assert again.end(0, 58, 113) == 58
    written(file, "- a fox\n- {prompt: rain, cut: true}\n- {prompt: snow, cut: true}\n")
    assert again(1, 0)[0] == "rain"
    assert again.end(1, 0, 57) is None
    assert again(1, 14)[0] == "rain"
    assert again.end(1, 58, 113) == 58
    assert again.openings[2].first_frame == 116


def test_a_story_file_goes_on_with_the_prompt_of_the_command(tmp_path):
    file = written(tmp_path / "story.yaml", "- {at: 10s, prompt: rain, cut: true}\n")
    prompts = live(file, Cue("a fox", parse_moment(0)), *read_story(file))
    prompts(0, 0)
    written(file, "- {at: 10s, prompt: rain, cut: true}\n- {at: 1m, prompt: snow, cut: true}\n")
    assert prompts(0, 14)[0] == "a fox"
    assert prompts.end(0, 114, 169) == 160
    assert prompts(1, 0)[0] == prompts(1, 14)[0] == "rain"
    assert prompts.end(1, 58, 113) is None


def test_a_shot_begins_with_the_prompt_that_opens_it(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    prompts(0, 0)
    written(file, "- a fox\n- {prompt: rain, cut: true}\n- snow\n")
    prompts(0, 14)
    prompts.end(0, 58, 113)
    assert [prompts(1, latent)[0] for latent in (0, 14)] == ["rain", "snow"]


def test_lines_before_a_cut_that_has_come_change_nothing(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n- {at: 5s, prompt: rain, cut: true}\n")
    prompts = live(file, *read_story(file))
    prompts(0, 14)
    prompts.end(0, 58, 113)
    prompts(1, 0)
    written(file, "- a fox\n- {at: 2s, prompt: an owl}\n- {at: 5s, prompt: rain, cut: true}\n")
    assert prompts(1, 14)[0] == "rain"
    written(file, "- a fox\n- {at: 60s, prompt: snow, cut: true}\n")
    assert prompts(1, 28)[0] == "rain"
    assert len(prompts.openings) == 2


def test_a_prompt_that_is_put_into_other_words_is_shown_in_them(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    prompts(0, 0)
    written(file, "- a red fox\n")
    assert prompts(0, 14)[0] == "a red fox"


def test_a_file_that_breaks_is_said_once_and_read_again_when_it_is_whole(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n")
    prompts = live(file, *read_story(file))
    written(file, "- {at: so\n")
    assert [prompts(0, latent)[0] for latent in (0, 14)] == ["a fox", "a fox"]
    (problem,) = prompts.problems
    assert problem.startswith(f"{file}:")
    written(file, "- a fox\n- rain\n")
    assert prompts(0, 28)[0] == "rain"


def test_a_file_that_is_gone_leaves_the_story_as_it_was(tmp_path):
    file = written(tmp_path / "story.yaml", "- a fox\n- rain\n")
    prompts = live(file, *read_story(file))
    prompts(0, 0)
    file.unlink()
    assert prompts(0, 14)[0] == "rain"
