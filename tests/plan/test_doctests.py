import doctest
import pkgutil
from importlib import import_module

import pytest

import t2v.plan


@pytest.mark.parametrize(
    "name", [module.name for module in pkgutil.iter_modules(t2v.plan.__path__)]
)
def test_the_examples_of_docstrings_are_true(name: str):
    failed, _ = doctest.testmod(import_module(f"t2v.plan.{name}"))

    assert failed == 0
