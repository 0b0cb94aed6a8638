"""Requests longer than a clip: shots and windows, or what can be done instead."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v.errors import RequestError
from t2v.plan.latents import first_pixel, pixel_frames
from t2v.plan.longplan import described, frames_at_once, settled_order
from t2v.plan.options import Options
from t2v.plan.outline import all_windows, weighted_windows
from t2v.plan.request import Request
from t2v.plan.resolve import requests_for, resolve
from t2v.zoo.catalog import Zoo
from t2v.zoo.spec import FrameRule, ModelSpec
from tests.plan.long import plan, request, windowed

RAIN = {"at": "5s", "prompt": "rain"}


@pytest.fixture(scope="session")
def long_wan(wan: ModelSpec) -> ModelSpec:
    return windowed(wan)


def without_windows(spec: ModelSpec) -> ModelSpec:
    supports = {"long_video": (), "window": None, "overlap": None}
    return spec.model_copy(update={"supports": spec.supports.model_copy(update=supports)})


@pytest.mark.parametrize("num_frames", [1, 5, 80, 81, 82])
def test_up_to_the_trained_length_it_is_a_plain_call(long_wan, num_frames):
    made = request(long_wan, num_frames=num_frames)
    assert made.long is None
    assert made.num_frames <= 81


def test_a_longer_video_has_just_the_frames_that_were_asked_for(long_wan):
    made = request(long_wan, num_frames=170)
    (shot,) = made.long.shots
    assert (made.num_frames, shot.num_frames, shot.num_latents) == (170, 170, 44)
    assert [window.start for window in shot.windows] == [0, 12, 23]
    assert made.long.num_evaluations == 3 * 50
    assert frames_at_once(long_wan, made) == 81


@given(st.integers(83, 3000))
def test_latents_of_a_shot_hold_its_frames_and_few_more(long_wan, num_frames):
    (shot,) = plan(long_wan, num_frames=num_frames).shots
    made = pixel_frames(long_wan.latents, shot.num_latents)
    assert num_frames <= made < num_frames + 4


def test_a_model_of_one_length_has_as_many_windows_as_its_frames_need():
    latte = Zoo.load(overlays=False).find("latte-1")
    (shot,) = plan(latte, num_frames=49).shots
    assert (shot.num_latents, [window.start for window in shot.windows]) == (49, [0, 11, 22, 33])
    assert all(one["num_frames"] > 0 for one in all_windows(plan(latte, num_frames=33)))


@pytest.mark.parametrize("name", ["cosmos-predict2.5-2b", "cosmos3-nano"])
def test_what_is_judged_as_a_whole_has_an_end(name):
    with pytest.raises(RequestError, match=r"shows no frame before its last is made"):
        plan(Zoo.load(overlays=False).find(name), endless=True)


def test_a_model_that_goes_on_by_itself_says_so():
    helios = Zoo.load(overlays=False).find("helios-base")
    assert described(helios, request(helios, num_frames=400)) == [
        "--method native: one call of the pipeline, which goes on from what it has made"
    ]
    with pytest.raises(
        RequestError, match=r"--overlap changes nothing here: it is one call of the pip"
    ):
        plan(helios, num_frames=400, overlap=8)


def test_a_long_call_of_a_model_of_clips_says_that_it_is_one(long_wan):
    assert described(long_wan, request(long_wan, num_frames=161, method="native")) == [
        "--method native: one call of the pipeline, which was not trained for the length"
    ]
    assert described(long_wan, request(long_wan, num_frames=81)) == []


@pytest.mark.parametrize("name", ["cogvideox-2b", "cogvideox-1.5-5b"])
def test_cogvideox_makes_odd_numbers_of_latents(name):
    spec = Zoo.load(overlays=False).find(name)
    for num_frames in range(spec.frames.native + 9, 200):
        (shot,) = plan(spec, num_frames=num_frames).shots
        assert shot.num_latents % 2 == 1
        assert shot.num_frames == num_frames


def test_windows_start_on_the_patch(wan):
    spec = windowed(wan, 21, 7, patch=2)
    for num_frames in range(84, 400, 3):
        (shot,) = plan(spec, num_frames=num_frames).shots
        assert all(window.start % 2 == 0 for window in shot.windows)
        assert shot.windows[-1].start + 21 == shot.num_latents


def test_lengths_of_windows_and_overlaps_are_given_in_frames(long_wan):
    long = plan(long_wan, num_frames=161, window=50, overlap=10)
    assert (long.window, long.overlap, long.stride) == (13, 3, 10)


def test_a_smaller_window_divides_a_clip(long_wan):
    assert len(plan(long_wan, num_frames=81, window=41).windows) == 3


def test_prompts_change_where_they_were_asked_to(long_wan):
    story = ["a fox", {"at": "7s", "prompt": "rain"}, {"at": "190f", "prompt": "snow"}]
    made = request(long_wan, None, num_frames=300, story=story)
    assert prompts_by_frame(made)[112 + 14 : 190 - 14] == ["rain"] * 50
    assert made.prompt == "a fox"
    changes = [
        index
        for index, (a, b) in enumerate(itertools.pairwise(prompts_by_frame(made)), 1)
        if a != b
    ]
    assert changes == [113, 189]


def prompts_by_frame(made: Request) -> list[str]:
    """The prompt that counts most on each frame of the video."""
    leading: list[str] = []
    for shot in made.long.shots:
        counts = [{} for _ in range(shot.num_latents)]
        for window in shot.windows:
            for offset, weight in enumerate(window.weights):
                frame = counts[window.start + offset]
                frame[window.prompt] = frame.get(window.prompt, 0) + weight
        for latent, shares in enumerate(counts):
            size = first_pixel(made.long.rule, latent + 1) - first_pixel(made.long.rule, latent)
            leading += [max(shares, key=shares.get)] * size
        del leading[shot.first_frame + shot.num_frames :]
    return leading


TIMES = st.lists(st.integers(8, 90), min_size=1, max_size=6).map(
    lambda gaps: list(itertools.accumulate(gaps))
)
"""First frames of later prompts."""


@given(TIMES)
def test_switches_land_within_half_an_overlap_and_cuts_on_their_frame(long_wan, times):
    cut = times[len(times) // 2]
    story = ["p0"] + [
        {"at": f"{time}f", "prompt": f"p{index}", "cut": time == cut}
        for index, time in enumerate(times, 1)
    ]
    leading = prompts_by_frame(request(long_wan, None, num_frames=600, story=story))
    half = 4 * 4  # latent frames of half an overlap of 7, in pixel frames
    for index, (begin, end) in enumerate(itertools.pairwise([0, *times, 600])):
        begin += half if begin not in (0, cut) else 0
        end -= half if end not in (600, cut) else 0
        assert set(leading[begin : max(begin, end)]) <= {f"p{index}"}


def test_a_cut_is_a_shot_with_frames_and_a_seed_of_its_own(long_wan):
    story = [
        "a fox",
        {"at": "6s", "prompt": "a cat", "cut": True},
        {"at": "8s", "prompt": "an owl", "cut": True, "noise": "shared"},
        {"at": "9s", "prompt": "a hare", "cut": True, "seed": 3, "negative_prompt": "a wolf"},
    ]
    shots = plan(long_wan, None, num_frames=163, story=story).shots
    assert [(shot.first_frame, shot.num_frames) for shot in shots] == [
        (0, 96),
        (96, 32),
        (128, 16),
        (144, 19),
    ]
    assert shots[0].seed == 7
    assert shots[1].seed == shots[2].seed not in (7, 3)
    assert shots[3].seed == 3
    assert shots[3].windows[0].negative_prompt == "a wolf"


def test_a_short_shot_is_one_window_of_its_own_length(long_wan):
    story = ["a fox", {"at": "10s", "prompt": "a cat", "cut": True}]
    shots = plan(long_wan, None, num_frames=190, story=story).shots
    assert [window.length for window in shots[0].windows] == [21, 21, 21]
    assert [window.length for window in shots[1].windows] == [9]


def test_the_same_prompt_twice_is_no_switch(long_wan):
    story = ["a fox", {"at": "5s", "prompt": "a fox"}]
    told_twice = plan(long_wan, None, num_frames=300, story=story)
    assert told_twice.windows == plan(long_wan, num_frames=300).windows


def test_prompts_without_times_share_the_video_evenly(long_wan):
    made = request(long_wan, None, num_frames=240, story=["a", "b", "c"])
    leading = prompts_by_frame(made)
    assert [leading[20], leading[120], leading[220]] == ["a", "b", "c"]


def test_a_story_without_a_length_gives_each_prompt_a_clip(long_wan):
    assert request(long_wan, None, story=["a", "b", "c"]).num_frames == 243
    assert request(long_wan, "a", at=("10s: b",)).num_frames == 160 + 81


def test_at_goes_on_from_the_prompt(long_wan):
    made = request(long_wan, "a fox", at=("5s: rain", "00:10: snow"), seconds=15)
    assert [cue.prompt for cue in made.story] == ["a fox", "rain", "snow"]
    assert made.origins["prompt"] == "flag"


def test_a_story_of_one_prompt_is_a_request_like_any_other(long_wan):
    made = request(long_wan, None, story=[{"prompt": "a fox", "negative_prompt": "a cat"}])
    assert (made.prompt, made.negative_prompt, made.story, made.long) == (
        "a fox",
        "a cat",
        (),
        None,
    )


def test_the_seed_of_a_storys_first_prompt_is_the_videos(long_wan):
    story = [{"prompt": "a fox", "seed": 9}, {"at": "5s", "prompt": "a cat"}]
    made = request(long_wan, None, num_frames=160, story=story)
    assert (made.seed, made.long.shots[0].seed, made.origins["seed"]) == (9, 9, "flag")
    more = requests_for(long_wan, made, 3)
    assert len({one.long.shots[0].seed for one in more}) == 3


def test_planned_windows_say_how_much_they_count_on_each_latent_frame(long_wan):
    long = plan(long_wan, num_frames=161)
    totals = [0.0] * long.shots[0].num_latents
    for window in weighted_windows(long):
        for offset, weight in enumerate(window["weights"]):
            totals[window["latent_start"] + offset] += weight
    assert totals == pytest.approx([1.0] * 41, abs=1e-5)


def test_a_window_of_broken_latent_frames_is_made_whole_and_that_is_said(long_wan):
    made = request(long_wan, num_frames=161, window=48, overlap=15)
    assert described(long_wan, made)[1:] == [
        "--window 48 -> 49, whole latent frames of Wan",
        "--overlap 15 -> 16, whole latent frames of Wan",
    ]


def test_windows_of_a_loop_begin_within_it(long_wan):
    made = request(long_wan, num_frames=172, loop=True, at=("5s: rain",))
    windows = all_windows(made.long)
    assert all(0 <= window["first_frame"] < 172 for window in windows)
    assert max(one["first_frame"] + one["num_frames"] for one in windows) > 172


def test_prompts_without_times_last_a_clip_each_where_there_is_no_end(long_wan):
    long = plan(long_wan, None, endless=True, story=["a", "b", "c"])
    first_latents = [0, 20, 21, 40, 41, 999]
    assert [long.prompts(0, latent)[0] for latent in first_latents] == [
        "a",
        "a",
        "b",
        "b",
        "c",
        "c",
    ]


def test_a_config_may_have_a_length_that_a_video_without_an_end_does_not_need(long_wan):
    layers = [("user config", Options(seconds=20)), ("flag", Options(endless=True, seed=7))]
    assert resolve(long_wan, "a fox", layers)[0].num_frames == 1_000_000


def test_a_loop_has_frames_that_close_it(long_wan):
    made = request(long_wan, num_frames=170, loop=True)
    (shot,) = made.long.shots
    assert (made.num_frames, shot.num_latents) == (172, 43)
    starts = [window.start for window in shot.windows]
    assert starts == sorted(starts)
    assert made.long.order == "lockstep"


def test_a_loop_can_be_shorter_than_a_clip(long_wan):
    long = plan(long_wan, num_frames=40, loop=True)
    assert [(shot.num_latents, shot.windows[0].length) for shot in long.shots] == [(10, 10)]


def test_several_videos_have_shots_with_seeds_of_their_own(long_wan):
    story = ["a fox", {"at": "5s", "prompt": "a cat", "cut": True}]
    made = requests_for(long_wan, request(long_wan, None, num_frames=160, story=story), 3)
    seeds = [shot.seed for one in made for shot in one.long.shots]
    assert len(set(seeds)) == 6
    assert [one.long.shots[0].seed for one in made] == [one.seed for one in made]


def test_cut_makes_clips_of_any_model(wan):
    long = plan(without_windows(wan), num_frames=200, method="cut")
    assert [(shot.num_frames, shot.num_latents) for shot in long.shots] == [
        (66, 18),
        (67, 18),
        (67, 18),
    ]
    assert len({shot.seed for shot in long.shots}) == 3


def test_a_story_of_short_cuts_needs_no_windows(wan):
    story = ["a", {"at": "4s", "prompt": "b", "cut": True}]
    assert plan(without_windows(wan), None, num_frames=128, story=story).method == "cut"


def test_the_first_way_of_the_entry_that_can_is_taken(long_wan):
    both = long_wan.supports.model_copy(update={"long_video": ("native", "windows")})
    spec = long_wan.model_copy(update={"supports": both})
    assert request(spec, num_frames=161).long is None
    assert plan(spec, num_frames=161, loop=True).method == "windows"
    assert plan(spec, None, num_frames=161, story=["a", "b"]).method == "windows"


def test_why_a_method_is_taken_is_said_in_a_line(long_wan):
    assert described(long_wan, request(long_wan, num_frames=170)) == [
        "--method windows: 3 windows of 81 frames, at least 1.75 s shared; "
        "one clip of wan2.1-t2v-1.3b has 81 frames"
    ]
    assert described(long_wan, request(long_wan, num_frames=81)) == []


def test_sound_that_is_lost_is_said(long_wan):
    spec = long_wan.model_copy(update={"audio": True})
    assert described(spec, request(spec, num_frames=170))[1:] == [
        "wan2.1-t2v-1.3b makes sound for a clip; this video has none"
    ]


def test_two_denoisers_that_are_moved_take_all_windows_in_turn(long_wan):
    parts = {**long_wan.components, "transformer_2": long_wan.components["transformer"]}
    spec = long_wan.model_copy(update={"components": parts})
    made = request(spec, num_frames=170)
    assert settled_order(spec, made, "model").long.order == "lockstep"
    assert settled_order(spec, made, "none").long.order == "wavefront"
    asked = request(spec, num_frames=170, order="wavefront")
    assert settled_order(spec, asked, "model").long.order == "wavefront"


def test_a_long_prompt_is_repeated_with_its_windows_by_its_beginning(long_wan):
    windows = all_windows(plan(long_wan, "fox " * 100, num_frames=170))
    assert {window["prompt"] for window in windows} == {("fox " * 25)[:99] + "…"}


def test_native_is_one_call_of_the_length(long_wan):
    made = request(long_wan, num_frames=160, method="native")
    assert (made.num_frames, made.long) == (161, None)


def test_windows_of_a_continuation_each_go_on_from_the_last(wan):
    supports = {"long_video": ("continue",), "window": 21, "overlap": 6}
    spec = windowed(wan)
    spec = spec.model_copy(update={"supports": spec.supports.model_copy(update=supports)})
    long = plan(spec, num_frames=200)
    assert [window.start for window in long.windows] == [0, 15, 30]
    assert long.windows[1].weights == (0.0,) * 6 + (1.0,) * 15


def test_a_plan_survives_json(long_wan):
    story = ["a fox", {"at": "6s", "prompt": "a cat", "cut": True}, {"at": "9s", "prompt": "rain"}]
    made = request(long_wan, None, num_frames=200, story=story, noise="mixed:0.5", overlap=20)
    again = Request.from_dict(made.to_dict())
    assert again == made
    replayed = request(long_wan, again.prompt, **again.to_options().said())
    assert all_windows(replayed.long) == all_windows(made.long)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"story": {"value": "a fox"}}, "story: must be a list"),
        ({"story": {"value": [{"prompt": "a", "at": []}]}}, "story: entry 1, at"),
        ({"method": {"value": "magic"}}, "method must be auto, native, windows"),
        ({"window": {"value": 10**9}}, "window must be at most"),
        ({"overlap": {"value": "x"}}, "overlap must be a whole number"),
        ({"loop": {"value": "sideways"}}, "loop must be yes or no"),
        ({"noise": {"value": "mixed:2"}}, "noise must be independent, freenoise or mixed:A"),
    ],
)
def test_a_long_record_of_a_stranger_is_checked(long_wan, change, message):
    with pytest.raises(RequestError, match=message):
        Request.from_dict({**request(long_wan, num_frames=170).to_dict(), **change})


LONG = {"num_frames": 200}
BAD = {
    "an overlap as long as the window": (
        LONG | {"overlap": 81},
        "--overlap 81 leaves nothing of a window of 81 frames; a third of it, 28, is usual",
    ),
    "an overlap of less than a latent frame": (
        LONG | {"overlap": 1},
        "--overlap 1 is less than one latent frame of Wan; it is 0 or at least 4 frames",
    ),
    "an overlap that changes nothing": (
        {"num_frames": 81, "overlap": 20},
        "--overlap changes nothing here: one clip holds all of it (81 frames = 5.0625 s); leave it out",
    ),
    "an overlap of shots that are cut": (
        LONG | {"overlap": 20, "method": "cut"},
        "--overlap changes nothing here: --method cut makes shots without windows",
    ),
    "a window longer than a call": (
        LONG | {"window": 9999},
        "--window 9999: wan2.1-t2v-1.3b makes at most 4093 frames in one call; it was trained on 81",
    ),
    "a window of one latent frame": (
        LONG | {"window": 1},
        "--window 1 is one latent frame of Wan; a window has at least 5 frames",
    ),
    "a story out of order": (
        LONG | {"story": ["a", {"at": "6s", "prompt": "b"}, {"at": "5s", "prompt": "c"}]},
        "The story is out of order: 5s comes after 6s. Sort its entries by time.",
    ),
    "two prompts in one frame": (
        LONG | {"story": ["a", {"at": "5s", "prompt": "b"}, {"at": "5.01s", "prompt": "c"}]},
        "The prompts at 5s and 5.01s begin in the same frame; leave one of them out",
    ),
    "two prompts in one latent frame": (
        LONG | {"story": ["a", {"at": "49f", "prompt": "b"}, {"at": "50f", "prompt": "c"}]},
        "The prompts at frames 49 and 50 are too close: Wan makes 4 frames at a time.",
    ),
    "a prompt beyond the end": (
        LONG | {"story": ["a", {"at": "20s", "prompt": "b"}]},
        "The prompt at 20s begins after the last frame of the video (12.5 s, 200 frames)",
    ),
    "more prompts than frames": (
        {"num_frames": 3, "story": ["a", "b", "c", "d"]},
        "The story has 4 prompts and the video 3 frames",
    ),
    "one time missing": (
        LONG | {"story": ["a", {"at": "5s", "prompt": "b"}, "c"]},
        "Entry 3 of the story has no time, and others have",
    ),
    "a loop in wavefront order": (
        LONG | {"loop": True, "order": "wavefront"},
        "A loop has no first window that is finished early; leave --order wavefront out",
    ),
    "a loop without an overlap": (
        LONG | {"loop": True, "overlap": 0},
        "--loop blends the end with the beginning; --overlap 0 leaves no room",
    ),
    "a loop with a cut": (
        LONG | {"loop": True, "story": ["a", {"at": "5s", "prompt": "b", "cut": True}]},
        "A loop goes on into its own beginning, which a cut would end; leave --loop or the cuts out",
    ),
    "a loop of shared noise": (
        LONG | {"loop": True, "noise": "freenoise"},
        "A loop cannot have freenoise noise: the windows around its joint would hold the same noise "
        "twice. Use --noise independent.",
    ),
    "more cuts than frames": (
        {
            "num_frames": 3,
            "story": ["a", *({"prompt": word, "cut": True} for word in ("b", "c", "d"))],
        },
        "The story has 4 prompts and the video 3 frames",
    ),
    "a loop without an end": (
        {"loop": True, "endless": True},
        "A loop has an end and --endless has none; leave one of them out",
    ),
    "a length without an end": (
        {"num_frames": 200, "endless": True},
        "--endless goes on until it is stopped; leave --seconds and --num-frames out",
    ),
    "a story without an end out of order": (
        {"endless": True, "story": ["a", {"at": "6s", "prompt": "b"}, {"at": "5s", "prompt": "c"}]},
        "The story is out of order: 5s comes after 6s. Sort its entries by time.",
    ),
    "no end in lockstep": (
        {"endless": True, "order": "lockstep"},
        "--endless has no last window to wait for; leave --order lockstep out",
    ),
    "one call with several prompts": (
        LONG | {"method": "native", "story": ["a", "b"]},
        "--method native is one call of wan2.1-t2v-1.3b, without several prompts",
    ),
    "a continuation of a model that cannot": (
        LONG | {"method": "continue"},
        "wan2.1-t2v-1.3b cannot continue a clip",
    ),
    "story and at": (
        LONG | {"story": ["a", "b"], "at": ("5s: c",)},
        "--story and --at both say what comes when; give one of them",
    ),
}


@pytest.mark.parametrize(("values", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_refused_with_what_to_do(long_wan, values, message):
    with pytest.raises(RequestError) as caught:
        request(long_wan, None if "story" in values else "a", **values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


ALONE = {
    "longer than a clip": (
        {"num_frames": 200},
        "wan2.1-t2v-1.3b makes 81 frames (5.0625 s) in one clip, 200 were asked for, and it has "
        "no windows; ask for --num-frames 81 or less, or --method cut for separate shots, or "
        "--method native for one long call, which may repeat or drift",
    ),
    "longer than a call": (
        {"num_frames": 9000},
        "wan2.1-t2v-1.3b makes 81 frames (5.0625 s) in one clip, 9000 were asked for, and it has "
        "no windows; ask for --num-frames 81 or less, or --method cut for separate shots",
    ),
    "windows of their own": (
        {"num_frames": 200, "method": "windows"},
        "wan2.1-t2v-1.3b has no windows; ask for --num-frames 81 or less",
    ),
    "a loop": ({"loop": True}, "--loop needs windows, and wan2.1-t2v-1.3b has none"),
    "no end": ({"endless": True}, "--endless needs windows, and wan2.1-t2v-1.3b has none"),
    "prompts that change": (
        {"num_frames": 80, "at": ("2s: rain",)},
        "Prompts that change within a shot need windows, and wan2.1-t2v-1.3b has none; add",
    ),
}


@pytest.mark.parametrize(("values", "message"), ALONE.values(), ids=ALONE)
def test_a_model_without_windows_says_what_can_be_done_instead(wan, values, message):
    with pytest.raises(RequestError) as caught:
        request(without_windows(wan), **values)
    assert str(caught.value).startswith(message)


def test_who_begins_a_story_is_clear(long_wan):
    with pytest.raises(RequestError, match="both begin the video; leave one of them out"):
        request(long_wan, "a fox", num_frames=200, story=["a cat", "an owl"])
    with pytest.raises(RequestError, match="The story begins at 5s; give a prompt"):
        request(long_wan, None, num_frames=200, story=[RAIN])
    with pytest.raises(RequestError, match="There is no prompt"):
        request(long_wan, None, num_frames=200)


def test_a_config_may_have_an_overlap_that_a_clip_does_not_need(long_wan):
    layers = [("user config", Options(overlap=20)), ("flag", Options(num_frames=81))]
    assert resolve(long_wan, "a fox", layers)[0].long is None


def test_a_model_of_one_length_has_windows_of_it(wan):
    spec = windowed(wan, 16, 5, factor=1)
    spec = spec.model_copy(update={"frames": FrameRule(native=16, min=16, max=16)})
    (shot,) = plan(spec, num_frames=40).shots
    assert [(window.start, window.length) for window in shot.windows] == [
        (0, 16),
        (8, 16),
        (16, 16),
        (24, 16),
    ]
