"""What an agent with positions says of segments: nothing goes by time while they can't be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from kube_log_watcher_core import File, LogFile, LogTarget, Owned
from kube_log_watcher_static import PositionFile, StaticAgent
from kube_log_watcher_testing.factories import make_target
from static_rules import HAS_SPOOL

SEGMENT = LogFile(Path("/spool/default_shop-1_uid/main.log"), 7)


class Agent(StaticAgent[None]):
    def __init__(self, positions: Path | None) -> None:
        super().__init__(None, HAS_SPOOL)
        if positions is not None:
            self.positions = PositionFile(positions, lambda content: {(str(SEGMENT.path), 7): int(content)})

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        return ()

    def owned(self) -> Iterable[Owned]:
        return ()


def test_without_positions_nobody_knows() -> None:
    assert Agent(None).read_up_to(make_target(), SEGMENT) is None


@pytest.mark.parametrize("content", [None, "rubbish", "42"])
def test_what_positions_do_not_say_is_not_read(tmp_path: Path, content: str | None) -> None:
    """A shipper that was away for an hour has not read what was closed an hour ago."""
    positions = tmp_path / "positions"
    if content is not None:
        positions.write_text(content)
    progress = Agent(positions).read_up_to(make_target(), SEGMENT)
    assert progress is not None
    assert progress.read_bytes == (42 if content == "42" else 0)
