"""Programs of their own that find and pull a model."""

import os
import subprocess
import sys

from tests.patience import PATIENCE_S

FIND = """
from t2v.errors import T2VError
from t2v.zoo.catalog import Zoo
from t2v.zoo.hub import pull
from t2v.zoo.spec import ModelSpec
try:
    print(pull(Zoo.load().find("org/tiny")))
except T2VError as error:
    print(type(error).__name__, error)
"""


def run(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    return result.stdout + result.stderr
