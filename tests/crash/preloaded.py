"""What the server has in memory when it forks a child: no child loads it once more."""

import gc
import os
import time

import psutil

from tests.crash.works import doodle
from tests.longvideo.making import load_long

SERVER = os.getpid()
PATIENCE_S = 20

doodle()
load_long("wan")
# Threads that have loaded weights are told to end, and on a busy machine do so a little later.
until = time.monotonic() + PATIENCE_S
while psutil.Process().num_threads() > 1 and time.monotonic() < until:
    time.sleep(0.01)
gc.freeze()  # A collection in a child would write to, and so copy, every page of it.
