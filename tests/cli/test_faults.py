"""Every kind of error is a line or two and an exit code, never a traceback."""

import errno
import inspect

import pytest

import t2v
from t2v_cli import __main__

TREE = [
    kind
    for _, kind in inspect.getmembers(t2v.errors, inspect.isclass)
    if issubclass(kind, t2v.errors.T2VError)
]


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command that ends with the error."""

    def raising(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(__main__, "app", raising)
    return __main__.run(["generate"])


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_of_t2v_is_its_message_and_its_exit_code(kind, monkeypatch, capsys):
    code = failing(kind("the disk turned into a frog; give it a kiss"), monkeypatch)
    captured = capsys.readouterr()
    assert (code, captured.out) == (kind.exit_code, "")
    assert captured.err == "error: the disk turned into a frog; give it a kiss\n"


OTHERS = {
    "memory": (
        MemoryError(),
        1,
        "error: out of memory; a smaller --size or fewer frames need less\n",
    ),
    "full disk": (
        OSError(errno.ENOSPC, "No space left on device", "clip.mp4"),
        74,
        "error: the disk is full: clip.mp4; free some space and run it again\n",
    ),
    "no permission": (
        PermissionError(errno.EACCES, "Permission denied", "/clip.mp4"),
        74,
        "error: Permission denied: /clip.mp4\n",
    ),
    "Ctrl-C": (KeyboardInterrupt(), 130, "error: stopped\n"),
    "closed pipe": (BrokenPipeError(), 1, ""),
}


@pytest.mark.parametrize(("error", "code", "said"), OTHERS.values(), ids=OTHERS)
def test_an_error_of_the_system_is_explained(error, code, said, monkeypatch, capsys):
    assert failing(error, monkeypatch) == code
    assert capsys.readouterr().err == said


def test_an_unexpected_error_is_called_a_bug_and_says_how_to_report_it(monkeypatch, capsys):
    assert failing(KeyError("latents"), monkeypatch) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: KeyError: 'latents'"
    assert second.startswith("This is a bug in t2v. T2V_DEBUG=1 shows where")


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("T2V_DEBUG", "1")
    with pytest.raises(KeyError):
        failing(KeyError("latents"), monkeypatch)


def test_an_error_shows_no_token_and_no_escape(monkeypatch, capsys):
    failing(t2v.errors.ModelError("\x1b]0;hf_abcdefghijklmnopqrstuvwx"), monkeypatch)
    assert capsys.readouterr().err == "error: �]0;***\n"
