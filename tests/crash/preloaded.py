"""What the server has in memory when it forks a child: no child loads it once more."""

import gc
import os

from tests.crash.works import doodle
from tests.longvideo.making import load_long

SERVER = os.getpid()

doodle()
load_long("wan")
gc.freeze()  # A collection in a child would write to, and so copy, every page of it.
