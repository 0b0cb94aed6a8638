"""Libraries talk to us and not to the terminal."""

import logging
import warnings

import torch
from diffusers.utils import logging as diffusers_logging

from t2v.runtime.quiet import quiet


def test_a_warning_of_a_library_is_collected_and_not_shown(capfd):
    with quiet() as messages:
        logging.getLogger("transformers.tokenization").warning("The prompt was\n truncated")
        warnings.warn("the clip is long", UserWarning, stacklevel=1)

    assert messages == ["The prompt was truncated", "the clip is long"]
    assert capfd.readouterr() == ("", "")


def test_the_same_message_is_collected_once():
    with quiet() as messages:
        for _ in range(3):
            logging.getLogger("diffusers").warning("odd number of frames")

    assert messages == ["odd number of frames"]


def test_messages_for_programmers_are_left_out():
    with quiet() as messages:
        logging.getLogger("diffusers").warning("`torch_dtype` is deprecated")
        logging.getLogger("diffusers").info("loading")
        warnings.warn("will be removed in 1.0", FutureWarning, stacklevel=1)
        torch.meshgrid(torch.arange(2), torch.arange(2))

    assert messages == []


def test_a_truncated_prompt_is_worth_knowing(load_tiny):
    pipe = load_tiny("modelscope")

    with quiet() as messages:
        pipe("boat " * 60, num_frames=1, height=16, width=16, num_inference_steps=1)

    assert len(messages) == 1
    assert "truncated" in messages[0]


def test_afterwards_the_libraries_talk_as_before():
    logger = logging.getLogger("diffusers")
    before = (logger.handlers, logger.propagate, diffusers_logging.is_progress_bar_enabled())

    with quiet():
        assert not diffusers_logging.is_progress_bar_enabled()

    assert before == (
        logger.handlers,
        logger.propagate,
        diffusers_logging.is_progress_bar_enabled(),
    )
