"""Where things are on the host."""

import os
from pathlib import Path

SUITE = Path(__file__).resolve().parent.parent
REPO = SUITE.parent.parent
#: What the suite builds and keeps; deleting it is always safe.
CACHE = Path(os.environ.get("MICROFLO_VM_DIR", REPO / "target/vm"))
#: The firmware that other tests build too.
RIG = Path(os.environ.get("MICROFLO_RIG_DIR", REPO / "target/rig"))
FIRMWARE_SCRIPTS = REPO / "tests/firmware"
