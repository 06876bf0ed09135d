#!/usr/bin/env python3
"""run.py PACKAGE.deb [WORD…]: the tests whose names contain a word, or all. Called by `run`, which prepares everything."""

import signal
import sys
from pathlib import Path

from harness.runner import main

# Ended from outside, it still ends the machines that it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
