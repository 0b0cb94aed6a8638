"""t2v: from a prompt to a finished video you can trust.

Importing this package imports neither torch nor diffusers; a public name loads on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from t2v import errors as errors
    from t2v import text as text
    from t2v.api.browse import list_models as list_models
    from t2v.api.browse import search_models as search_models
    from t2v.api.browse import show_model as show_model
    from t2v.api.decode import decode as decode
    from t2v.api.doctor import Check as Check
    from t2v.api.doctor import doctor as doctor
    from t2v.api.generator import Generator as Generator
    from t2v.api.inspect import inspect as inspect
    from t2v.api.loading import load as load
    from t2v.api.models import add_model as add_model
    from t2v.api.models import check_models as check_models
    from t2v.api.models import locate as locate
    from t2v.api.models import plan_removal as plan_removal
    from t2v.api.models import pull as pull
    from t2v.api.models import remove_model as remove_model
    from t2v.api.models import set_default_model as set_default_model
    from t2v.api.models import verify as verify
    from t2v.api.outputs import output_paths as output_paths
    from t2v.api.planning import make_plan as make_plan
    from t2v.api.replay import replay_plan as replay_plan
    from t2v.api.run import run as run
    from t2v.api.video import Video as Video
    from t2v.api.work import resume_plan as resume_plan
    from t2v.api.work import work_output as work_output
    from t2v.batch.items import Item as Item
    from t2v.batch.jobs import BatchPlan as BatchPlan
    from t2v.batch.making import Manner as Manner
    from t2v.batch.planning.estimating import BatchEstimate as BatchEstimate
    from t2v.batch.planning.estimating import estimate_batch as estimate_batch
    from t2v.batch.planning.plan import plan_batch as plan_batch
    from t2v.batch.planning.shards import Shard as Shard
    from t2v.batch.reading.prompt_files import read_items as read_items
    from t2v.batch.run_folder.folder import read_run as read_run
    from t2v.batch.run_folder.status import RunStatus as RunStatus
    from t2v.batch.run_folder.status import is_run as is_run
    from t2v.batch.run_folder.status import run_status as run_status
    from t2v.batch.running.runner import run_batch as run_batch
    from t2v.batch.running.summary import Summary as Summary
    from t2v.batch.sheet.page_file import write_sheet as write_sheet
    from t2v.batch.workers.ray import RayEngine as RayEngine
    from t2v.plan.events import Event as Event
    from t2v.plan.options import Options as Options
    from t2v.plan.request import Plan as Plan
    from t2v.plan.request import Request as Request
    from t2v.zoo.catalog import Zoo as Zoo
    from t2v.zoo.spec import ModelSpec as ModelSpec

_HOMES = {
    "BatchEstimate": "t2v.batch.planning.estimating",
    "BatchPlan": "t2v.batch.jobs",
    "Check": "t2v.api.doctor",
    "Event": "t2v.plan.events",
    "Generator": "t2v.api.generator",
    "Item": "t2v.batch.items",
    "Manner": "t2v.batch.making",
    "ModelSpec": "t2v.zoo.spec",
    "Options": "t2v.plan.options",
    "Plan": "t2v.plan.request",
    "RayEngine": "t2v.batch.workers.ray",
    "Request": "t2v.plan.request",
    "RunStatus": "t2v.batch.run_folder.status",
    "Shard": "t2v.batch.planning.shards",
    "Summary": "t2v.batch.running.summary",
    "Video": "t2v.api.video",
    "Zoo": "t2v.zoo.catalog",
    "add_model": "t2v.api.models",
    "check_models": "t2v.api.models",
    "decode": "t2v.api.decode",
    "doctor": "t2v.api.doctor",
    "errors": "t2v",
    "estimate_batch": "t2v.batch.planning.estimating",
    "inspect": "t2v.api.inspect",
    "is_run": "t2v.batch.run_folder.status",
    "list_models": "t2v.api.browse",
    "load": "t2v.api.loading",
    "locate": "t2v.api.models",
    "make_plan": "t2v.api.planning",
    "output_paths": "t2v.api.outputs",
    "plan_batch": "t2v.batch.planning.plan",
    "plan_removal": "t2v.api.models",
    "pull": "t2v.api.models",
    "read_items": "t2v.batch.reading.prompt_files",
    "read_run": "t2v.batch.run_folder.folder",
    "remove_model": "t2v.api.models",
    "replay_plan": "t2v.api.replay",
    "resume_plan": "t2v.api.work",
    "run": "t2v.api.run",
    "run_batch": "t2v.batch.running.runner",
    "run_status": "t2v.batch.run_folder.status",
    "search_models": "t2v.api.browse",
    "set_default_model": "t2v.api.models",
    "show_model": "t2v.api.browse",
    "text": "t2v",
    "verify": "t2v.api.models",
    "work_output": "t2v.api.work",
    "write_sheet": "t2v.batch.sheet.page_file",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 't2v' has no attribute {name!r}")
    home = _HOMES[name]
    value = import_module(f"{home}.{name}") if home == "t2v" else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
