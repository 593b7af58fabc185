"""Whatever happens in whatever order, the shippers are told the truth: the short form of the fuzz."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.fuzz.__main__ import main

SEED = 300
SESSIONS = 3


@pytest.mark.long
@pytest.mark.timeout(480)
@pytest.mark.parametrize("layout", ["docker", "cri"])
def test_what_is_written_is_the_truth_whatever_happens(
    layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some sessions, with hostile strangers, faults of the API, kills and reloads."""
    seeds = range(SEED, SEED + SESSIONS)
    codes = [
        main(["--seed", str(seed), "--layout", layout, "--episodes", "2", "--folder", str(tmp_path)])
        for seed in seeds
    ]
    told = capsys.readouterr().out
    assert codes == [0] * SESSIONS, told
    assert told.count("2 episodes") == 2 * SESSIONS, told
