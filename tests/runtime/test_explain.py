"""A package that is missing is named as pip knows it."""

import pytest

from t2v.runtime.explain import dependency_missing


@pytest.mark.parametrize(
    ("error", "package"),
    [
        (ModuleNotFoundError("No module named 'ftfy'", name="ftfy"), "ftfy"),
        (ModuleNotFoundError("No module named 'bs4'", name="bs4"), "beautifulsoup4"),
        (
            ModuleNotFoundError("No module named 'google.protobuf'", name="google.protobuf"),
            "protobuf",
        ),
        (
            ImportError("T5Tokenizer requires the SentencePiece library but it was not found"),
            "sentencepiece",
        ),
        (ImportError("You can install it with pip: `pip install torchsde`"), "torchsde"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_command_that_installs_it_is_given(error, package):
    said = str(dependency_missing(error, "wan2.1-t2v-1.3b"))

    assert said.startswith(f"wan2.1-t2v-1.3b needs the package {package}")
    assert said.endswith(f"pip install {package}")


def test_an_import_that_fails_for_another_reason_is_quoted():
    said = str(dependency_missing(ImportError("libcudart.so.13: cannot open"), "wan"))

    assert said == "wan needs a package that is missing: libcudart.so.13: cannot open"
