"""The public names are one list: what loads lazily, what type checkers see, what `__all__` says."""

import ast
from pathlib import Path

import pytest

import t2v
from tests.fresh import python


def names_for_type_checkers() -> set[str]:
    tree = ast.parse(Path(t2v.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {alias.asname for node in block.body for alias in node.names}


def test_type_checkers_see_the_lazy_names():
    assert names_for_type_checkers() == set(t2v._HOMES)


@pytest.mark.parametrize("name", t2v.__all__)
def test_each_public_name_loads(name: str):
    assert getattr(t2v, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        t2v.generat  # noqa: B018


def test_importing_t2v_imports_nothing_heavy():
    heavy = "{'torch', 'diffusers', 'transformers', 'numpy', 'av', 'yaml', 'pydantic'}"
    code = f"import sys, t2v; print(sorted({heavy} & set(sys.modules)))"
    assert python(code).stdout == "[]\n"
