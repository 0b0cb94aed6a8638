"""Finding models by words."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from t2v.zoo.search import nearest, search


def entry(name: str, description: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "family": "wan", "description": description, "license": "mit"} | more


ZOO = [
    entry("wan2.1-t2v-1.3b", "The small one. 480p on a consumer GPU.", aliases=["wan2.1"]),
    entry("wan2.1-t2v-14b", "The large one."),
    entry("ltx-video-2b", "Fast. Knows of wan, too.", family="ltx", tags=["fast"]),
    entry("hunyuan-video", "13B.", family="hunyuan_video", tasks=["text-to-video"]),
]


def found(query: str) -> list[str]:
    return [model["name"] for _, model in search(ZOO, query)]


def test_the_model_with_that_very_name_is_first():
    assert found("wan2.1-t2v-14b")[0] == "wan2.1-t2v-14b"
    assert found("wan2.1")[0] == "wan2.1-t2v-1.3b"


def test_a_name_counts_more_than_a_description():
    assert found("wan") == ["wan2.1-t2v-1.3b", "wan2.1-t2v-14b", "ltx-video-2b"]


def test_every_word_has_to_fit_somewhere():
    assert found("wan small") == ["wan2.1-t2v-1.3b"]
    assert found("small large") == []


def test_tags_tasks_and_families_are_looked_at():
    assert found("fast") == ["ltx-video-2b"]
    assert found("text-to-video") == ["hunyuan-video"]
    assert found("hunyuan-video") == ["hunyuan-video"]


def test_a_slip_is_forgiven_and_counts_less():
    assert found("hunyaun") == ["hunyuan-video"]
    (right, _), (slip, _) = search(ZOO, "hunyuan")[0], search(ZOO, "hunyaun")[0]
    assert slip < right


def test_a_word_that_some_model_has_is_no_slip_of_another():
    assert found("large") == ["wan2.1-t2v-14b"]


def test_short_words_are_not_guessed_at():
    assert found("ltz") == []


def test_case_and_spaces_do_not_matter():
    assert found("  WAN2.1   T2V ") == found("wan2.1 t2v") != []


def test_nothing_is_found_for_nothing():
    assert found("") == []


def test_the_nearest_names_are_told_best_first():
    assert nearest(ZOO, "hunyan vdeo")[0] == "hunyuan-video"
    assert nearest(ZOO, "ltxvideo", count=1) == ["ltx-video-2b"]


@given(st.text(max_size=300))
def test_any_text_can_be_searched_for(query: str):
    assert len(search(ZOO, query)) <= len(ZOO)
    assert len(nearest(ZOO, query)) <= 3
