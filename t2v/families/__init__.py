"""One module a diffusers family. A new family is one file here with an `adapter`."""

from importlib import import_module

from t2v.errors import ModelError
from t2v.runtime.adapter import Adapter
from t2v.zoo.spec import ModelSpec


def adapter_for(spec: ModelSpec) -> Adapter:
    """The adapter of the spec's family: a module here, or for a dotted name the user's own."""
    module = spec.family if "." in spec.family else f"{__name__}.{spec.family}"
    try:
        adapter: Adapter = import_module(module).adapter
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ModelError(
            f"{spec.name} says it is of the family {spec.family!r}, and there is no module {module}."
        ) from None
    if adapter.pipelines and spec.pipeline not in adapter.pipelines:
        raise ModelError(
            f"{spec.name} is a {spec.pipeline}; the family {spec.family} has "
            f"{', '.join(adapter.pipelines)}."
        )
    return adapter
