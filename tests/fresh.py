"""Code that runs where nothing has been imported yet."""

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE_S


def python(
    code: str, *, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it in an interpreter of its own, to its good end."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | environment,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done
