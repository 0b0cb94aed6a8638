"""The lessons beside the main one: their labels are right because we drew the clips."""

import random

import numpy as np
import pytest
import torch

from training import guide, motion, text, world

PAIR = world.Scene(
    (world.Subject("red", "star", "still"), world.Subject("blue", "heart", "still")), "gray"
)


def test_the_words_that_are_labelled_are_the_tokens_that_the_encoder_reads():
    rng, tokenizer = random.Random(0), text.build_tokenizer()
    for _ in range(300):
        words = world.caption_words(world.draw_scene(rng), rng, strange=0.5)
        ids = tokenizer(world.joined(words), max_length=99).input_ids
        expected = [word.text.rstrip(",") or "," for word in guide.tokens(words)]
        known = [word if word in tokenizer.get_vocab() else "<unk>" for word in expected]
        assert tokenizer.convert_ids_to_tokens(ids) == [*known, "</s>"]


def test_every_word_of_a_clause_speaks_of_its_subject_and_the_place_of_none():
    words = world.caption_words(PAIR, random.Random(1), strange=0)
    assert [(word.text, word.subject) for word in words if word.text in ("star", "heart")] == [
        ("star", 0),
        ("heart", 1),
    ]
    assert {word.subject for word in words if word.text in ("and", "while", "gray")} == {None}


def test_the_subject_on_the_left_covers_patches_of_the_left_half_only():
    covered = guide.coverage(motion.tracks(PAIR, random.Random(0)))
    assert covered[0, ..., :2].sum() > 0
    assert covered[0, ..., 2:].sum() == 0
    assert covered[1, ..., :2].sum() == 0


def test_words_that_tell_what_they_speak_of_cost_little():
    words = [world.Word("red", 0), world.Word("heart", 1)]
    lesson = guide.WordGuide(width=2)
    with torch.no_grad():
        for name, table in guide.TABLES.items():
            head, names = lesson.heads[name], list(table)
            head.bias.zero_()
            head.weight.zero_()
            for column, subject in enumerate(PAIR.subjects):
                head.weight[names.index(getattr(subject, name)), column] = 50.0
    apart = torch.eye(2)[None]
    assert lesson.loss(apart, [words], [PAIR]) < 0.01
    assert lesson.loss(apart.flip(1), [words], [PAIR]) > 10


def test_a_square_turned_by_a_quarter_is_turned_by_nothing():
    square = world.Scene((world.Subject("red", "square", "still"),), "gray")
    covered = guide.coverage(motion.tracks(square, random.Random(0)))[None]
    quarter = torch.full((1, 2, guide.LATENT_FRAMES), torch.pi / 2)
    turned = guide.labels([square], covered, quarter).turned
    torch.testing.assert_close(
        turned, torch.tensor([1.0, 0.0]).expand_as(turned), atol=1e-5, rtol=0
    )


def test_a_circle_has_no_turn_to_tell():
    circle = world.Scene((world.Subject("red", "circle", "still"),), "gray")
    covered = guide.coverage(motion.tracks(circle, random.Random(0)))[None]
    labels = guide.labels([circle], covered, torch.zeros(1, 2, guide.LATENT_FRAMES))
    assert labels.named.sum() > 0
    assert labels.weight.sum() == 0


@pytest.mark.parametrize(
    ("shape", "degrees_a_frame", "beginnings"),
    [
        ("star", 18, {0}),
        ("square", 22.5, {0}),
        ("triangle", 30, {0}),
        ("heart", 22.5, {0, 90, 180, 270}),
    ],
)
def test_what_spins_turns_clockwise_from_one_of_few_beginnings(shape, degrees_a_frame, beginnings):
    spin = world.Scene((world.Subject("red", shape, "spin"),), "gray")
    angles = [np.degrees(motion.tracks(spin, random.Random(seed))[0].angle) for seed in range(30)]
    assert {round(angle[0]) for angle in angles} == beginnings
    for angle in angles:
        np.testing.assert_allclose(np.diff(angle), degrees_a_frame)
