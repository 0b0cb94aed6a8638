"""The reference page is the live command line."""

import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT, environment
from tests.patience import PATIENCE_S


@pytest.mark.slow
def test_the_page_is_current():
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "reference.py"), "--check"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
