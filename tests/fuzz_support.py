"""How long properties are tried: some seconds in all, or as long as one likes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

FACTOR = "KLW_FUZZ"
"""Set it to 100, say, to try a hundred times as many examples: for a night, or after a change of a parser."""


def examples(count: int) -> Callable[[Any], Any]:
    """Run a property on so many examples, times the factor that the environment asks for."""
    return settings(
        max_examples=count * factor(),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def thorough() -> bool:
    """Tell whether this is a long run, in which nothing is left out."""
    return factor() > 1


def factor() -> int:
    """Return how many times as much is to be tried as in a short run."""
    return int(os.environ.get(FACTOR, "1"))
