"""The contact sheet in a real browser, opened from disk: what is seen, found, compared and asked for."""

import io
import json
import re
import statistics
import time
import tracemalloc

import imageio.v3 as iio
import pytest

from t2v.batch.sheet.cards import Card
from t2v.batch.sheet.page_file import write_page, write_sheet
from t2v.errors import DiskError
from tests.batch.browser import Page, browsing, find_chromium
from tests.batch.small_runs import Wish, make_run, write_clip

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    " '\"&<!-- ]]> \u202egnp.exe \u2028 {{x}} ${y} @data@ \ud800"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A browser for all tests of this file."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with browsing(chromium, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def opened(page: Page, tmp_path):
    """Make a run of wishes, write its sheet and open that; no script may complain."""

    def show(*wishes, fragment=""):
        folder = tmp_path / "a run"
        make_run(folder, wishes)
        page.requests.clear()
        page.open(write_sheet(folder).as_uri() + fragment)
        return page

    page.complaints.clear()
    yield show
    assert page.complaints == []


def prompts(page):
    """The prompts that are shown, in the order of reading."""
    return page.ask(
        "[...document.querySelectorAll('.card')].sort((a, b) => a.getBoundingClientRect().top -"
        " b.getBoundingClientRect().top || a.getBoundingClientRect().left -"
        " b.getBoundingClientRect().left).map(card => card.querySelector('.prompt').textContent)"
    )


def data(path):
    """The data of a page, as its script reads it."""
    text = path.read_text("utf-8")
    return json.loads(re.search(r'<script id="run" [^>]*>(.*?)</script>', text, re.DOTALL)[1])


@pytest.mark.slow
class TestInTheBrowser:
    def test_every_video_is_there_with_its_prompt_and_its_first_frame(self, opened):
        page = opened(Wish("a red ball", seed=7), Wish("a kite"))
        assert prompts(page) == ["a red ball", "a kite"]
        page.wait_for(
            "[...document.querySelectorAll('video')].filter(v => v.readyState > 1).length == 2"
        )
        x, y = page.ask(
            "(() => { const box = document.querySelector('video').getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height * 0.7]; })()"
        )
        time.sleep(0.3)
        red, green, blue = iio.imread(io.BytesIO(page.picture()))[int(y), int(x)][:3]
        assert (red > 180, green < 70, blue < 70) == (True, True, True)
        assert page.ask("document.querySelector('.meta').textContent") == "seed 7"

    def test_nothing_but_files_of_the_folder_is_asked_for(self, opened, tmp_path):
        page = opened(Wish("a red ball"), Wish("a kite"))
        page.wait_for("document.querySelector('video')?.readyState > 1")
        page.click(".card")
        page.wait_for("document.querySelector('#detail video')?.readyState > 1")
        page.press("Escape")
        asked = {url.split("#")[0] for url in page.requests if not url.startswith("data:")}
        folder = (tmp_path / "a run").as_uri()
        names = ("index.html", "video-0.mp4", "video-1.mp4")
        assert asked <= {"about:blank", *(f"{folder}/{name}" for name in names)}
        assert f"{folder}/video-1.mp4" in asked

    def test_what_a_prompt_says_is_never_markup(self, opened):
        page = opened(Wish(HOSTILE), Wish("other", "failed", message=HOSTILE))
        shown = page.ask("document.querySelector('.prompt').textContent")
        assert shown.startswith("</script><script>document.title='owned'</script><img src=x")
        page.click(".card")
        assert page.ask("document.querySelector('#detail .whole').textContent") == shown
        page.press("Escape")
        assert page.ask("document.title") == "a run"
        assert page.ask("document.querySelectorAll('main img, dialog img').length") == 0

    @pytest.mark.parametrize(
        "name", ["50% off? #1 a&b.mp4", "in a/deep földer/日本.mp4", "a \"quoted\" 'one'+.mp4"]
    )
    def test_links_lead_to_files_of_any_name(self, opened, name):
        page = opened(Wish("a kite", output=name))
        page.wait_for("document.querySelector('video')?.readyState > 1")

    def test_words_find_videos(self, opened):
        page = opened(
            Wish("a red ball", seed=4711), Wish("a Red kite"), Wish("a blue ball", "failed")
        )
        page.press("/")
        page.type("red")
        page.wait_for("document.querySelectorAll('.card').length == 2")
        page.ask("$('query').select()")
        page.type("ball -blue")
        page.wait_for("document.querySelectorAll('.card').length == 1")
        assert prompts(page) == ["a red ball"]
        for query, found in (
            ('"d k"', ["a Red kite"]),
            ("4711", ["a red ball"]),
            ("memory", ["a blue ball"]),
        ):
            page.ask("$('query').select()")
            page.type(query)
            page.wait_for(
                f"document.querySelector('.prompt')?.textContent == {json.dumps(found[0])}"
            )
            assert prompts(page) == found
        page.press("Escape")
        page.wait_for("document.querySelectorAll('.card').length == 3")

    def test_statuses_and_settings_that_differ_are_filters(self, opened):
        page = opened(
            Wish("one", steps=20),
            Wish("two", "failed", steps=20),
            Wish("three", "suspect", steps=50),
            Wish("four", steps=50, model="wan"),
            Wish("five", "new"),
        )
        summary = page.ask("$('summary').textContent")
        assert summary.startswith("2 done · 1 suspect · 1 failed · 1 not made yet")
        page.click("[data-status=failed]")
        assert prompts(page) == ["two"]
        page.click("[data-status=failed]")
        page.ask(
            "(() => { const s = document.querySelector('[data-facet=num_inference_steps]');"
            "s.value = '50'; s.dispatchEvent(new Event('change')); })()"
        )
        assert prompts(page) == ["three", "four"]
        assert "is.num_inference_steps=50" in page.ask("location.hash")

    def test_the_address_brings_the_view_back(self, opened):
        page = opened(
            Wish("b", seed=1), Wish("a", seed=3), Wish("c"), fragment="#sort=prompt&q=-c&size=400"
        )
        assert prompts(page) == ["a", "b"]
        assert page.ask("$('size').value") == "400"

    def test_a_failed_video_shows_its_reason_in_place_of_a_picture(self, opened):
        page = opened(Wish("one", "failed", message="The disk caught fire."))
        assert page.ask("document.querySelector('.stage').innerText") == (
            "failed\nmemory: The disk caught fire."
        )

    def test_chosen_videos_play_side_by_side_in_step(self, opened):
        page = opened(*(Wish("a ball", seed=seed, num_frames=36) for seed in (1, 2, 3)))
        page.wait_for("document.querySelector('video')?.readyState > 1")
        for number in range(3):
            page.click(".pick", number)
        page.click("#compare")
        page.wait_for("stageOf.clock.time > 0.5")
        spreads = []
        for _ in range(9):
            times = page.ask(
                "[...document.querySelectorAll('#compared video')].map(v => v.currentTime)"
            )
            assert len(times) == 3
            spreads.append(max(times) - min(times))
            time.sleep(0.05)
        assert statistics.median(spreads) < 0.1
        captions = page.ask("[...document.querySelectorAll('figcaption')].map(c => c.textContent)")
        assert captions == ["seed 1", "seed 2", "seed 3"]

    def test_paused_videos_step_to_the_same_frame(self, opened):
        page = opened(Wish("a ball", seed=1), Wish("a ball", seed=2, num_frames=6))
        page.ask("openCompared(items)")
        page.wait_for("stageOf.clock.then")
        page.press(" ")
        page.ask("stageOf.clock.seek(0)")
        for _ in range(3):
            page.press("ArrowRight")
        page.wait_for("stageOf.clock.films.every(film => !film.seeking)")
        times = page.ask("stageOf.clock.films.map(film => Math.floor(film.currentTime * 12))")
        assert times == [3, 3]
        page.ask("stageOf.clock.seek(0.99)")
        page.wait_for("stageOf.clock.films.every(film => !film.seeking)")
        times = page.ask("stageOf.clock.films.map(film => Math.floor(film.currentTime * 12))")
        assert times == [11, 5]  # The shorter one holds its last frame.

    def test_two_videos_lie_one_over_the_other(self, opened):
        page = opened(Wish("a ball", seed=1), Wish("a ball", seed=2))
        page.ask("openCompared(items)")
        page.wait_for("stageOf.clock.then")
        page.click("#wipe")
        page.wait_for("document.querySelector('.wipe')")
        box = page.ask(
            "(b => [b.x, b.y, b.width])(document.querySelector('.wipe').getBoundingClientRect())"
        )
        page.move(box[0] + box[2] * 0.25, box[1] + 50)
        clip = page.ask("document.querySelectorAll('.wipe video')[1].style.clipPath")
        assert re.fullmatch(r"inset\(0px 0px 0px 2[45](\.\d+)?%\)", clip)

    def test_keys_go_from_video_to_video(self, opened):
        page = opened(Wish("one"), Wish("two"), Wish("three"))
        page.press("ArrowRight")
        page.press("ArrowRight")
        page.press("Enter")
        assert page.ask("document.querySelector('#detail .whole').textContent") == "two"
        page.press("ArrowRight")
        assert page.ask("document.querySelector('#detail .whole').textContent") == "three"
        page.press("Escape")
        page.wait_for("document.activeElement.item?.prompt === 'three'")

    def test_pictures_and_folders_of_frames_are_shown_too(self, opened):
        page = opened(
            Wish("one", output="one.webp"),
            Wish("two", output="two"),
            Wish("three", output="three.gif"),
        )
        page.wait_for(
            "[...document.querySelectorAll('.stage img')].filter(i => i.naturalWidth == 64).length == 3"
        )

    def test_dark_and_light_differ(self, opened):
        page = opened(Wish("one"))
        colors = []
        for value in ("dark", "light"):
            page.send(
                "Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": value}],
            )
            colors.append(page.ask("getComputedStyle(document.body).backgroundColor"))
        assert colors == ["rgb(14, 15, 18)", "rgb(247, 247, 248)"]

    def test_ten_thousand_videos_are_scrolled_with_few_in_the_document(self, page, tmp_path):
        write_clip(tmp_path / "clip.mp4", (200, 40, 40), (64, 48), 6)
        cards = (
            Card(
                f"video-{n}",
                "ok",
                f"prompt {n}",
                "clip.mp4",
                seed=n,
                settings={"width": 64, "height": 48},
            )
            for n in range(10_000)
        )
        begun = time.monotonic()
        page.open(write_page(tmp_path / "index.html", "many", cards).as_uri())
        page.wait_for("document.querySelector('video')?.readyState > 1")
        assert time.monotonic() - begun < 10
        page.ask("scrollTo(0, document.body.scrollHeight)")
        page.wait_for(
            "prompt => [...document.querySelectorAll('.prompt')].some(p => p.textContent == 'prompt 9999')"
        )
        assert page.ask("document.querySelectorAll('.card').length") < 60
        took = page.ask(
            "(() => { const t = performance.now(); view.query = '77'; update(); return performance.now() - t; })()"
        )
        assert took < 1000


def test_the_page_is_written_in_the_time_and_memory_of_a_stream(tmp_path):
    cards = (
        Card(
            f"video-{n}",
            "ok",
            f"prompt {n} of a usual length, with a few words more than needed",
            f"video-{n}.mp4",
            seed=n,
            seconds=2.5,
            frames_sha256="f" * 64,
            settings={"model": "wan", "width": 832, "height": 480, "num_inference_steps": n % 3},
        )
        for n in range(10_000)
    )
    tracemalloc.start()
    begun = time.process_time()
    path = write_page(tmp_path / "index.html", "many", cards)
    took, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 5  # 0.5 s on the machine this was written on, without tracing.
    assert peak < 4_000_000
    found = data(path)
    assert (len(found["items"]), len(found["settings"])) == (10_000, 3)


def test_only_videos_of_the_last_plan_whose_file_is_there_are_linked(tmp_path):
    make_run(tmp_path / "run", [Wish("one"), Wish("two"), Wish("three", "started")])
    (tmp_path / "run" / "video-1.mp4").unlink()
    found = data(write_sheet(tmp_path / "run"))
    rows = [dict(zip(found["fields"], row, strict=True)) for row in found["items"]]
    assert [(row["status"], row["href"], row["reason"]) for row in rows] == [
        ("ok", "video-0.mp4", None),
        ("waiting", None, "its file is gone; the next run makes it again"),
        ("interrupted", None, "in work when its run was cut off"),
    ]


@pytest.mark.parametrize("output", ["/etc/passwd", "../secret.mp4", "a/../../b.mp4"])
def test_nothing_outside_of_the_folder_is_linked(tmp_path, output):
    card = Card("one", "ok", "one", output)
    row = data(write_page(tmp_path / "index.html", "run", [card]))["items"][0]
    assert row[4] is None


def test_an_address_of_another_site_is_a_file_name(tmp_path):
    card = Card("one", "ok", "one", "javascript:alert(1).mp4")
    row = data(write_page(tmp_path / "index.html", "run", [card]))["items"][0]
    assert row[4] == "javascript%3Aalert%281%29.mp4"


def test_the_page_names_no_folder_of_this_machine(tmp_path):
    make_run(tmp_path / "run", [Wish("one"), Wish("two", "failed", message="no /home/ada/x/y.bin")])
    text = write_sheet(tmp_path / "run").read_text("utf-8")
    assert "/home/ada" not in text
    assert str(tmp_path) not in text


def test_a_folder_that_cannot_be_written_is_a_disk_error(tmp_path):
    (tmp_path / "index.html").mkdir()
    with pytest.raises(DiskError):
        write_page(tmp_path / "index.html", "run", [])
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_an_empty_run_is_a_page(tmp_path):
    (tmp_path / "run").mkdir()
    assert data(write_sheet(tmp_path / "run"))["items"] == []
