"""Programs that measure; they are no part of any distribution. They share the tests' support modules."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
