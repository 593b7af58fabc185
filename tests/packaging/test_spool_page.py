"""The page about the spool: what it shows is what is made, and a shipper can go by its patterns."""

from __future__ import annotations

import glob
import importlib.util
import re
from pathlib import Path

from documents import ROOT, code_blocks
from kube_log_watcher_core.segments import WAITING, kept_name, place_of

PAGE = ROOT / "docs" / "explanation" / "spool.rst"
CONTAINER_ID = "0a" * 32
PLACE = place_of(
    namespace="default", pod="shop-1.a", pod_uid="c7-1", container="ma-in", container_id=CONTAINER_ID
)


def test_its_picture_is_what_the_script_draws() -> None:
    """Else: `python scripts/spool.py docs/_static/spool.svg`."""
    spec = importlib.util.spec_from_file_location("drawn_spool", ROOT / "scripts" / "spool.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "_static" / "spool.svg").read_text() == module.picture()


def test_its_expression_takes_a_segments_path_apart() -> None:
    assert PLACE is not None
    pattern, expression = (block.strip() for block in code_blocks(PAGE, "text"))
    found = re.search(expression, f"{Path(pattern).parents[1]}/{PLACE.folder}/{PLACE.segment(7)}")
    assert found is not None
    assert found.groupdict() == {
        "namespace": "default",
        "pod": "shop-1.a",
        "uid": "c7-1",
        "container": "ma-in",
        "id": CONTAINER_ID,
        "number": "0000000007",
    }


def test_its_glob_finds_what_is_shown_and_nothing_that_waits(tmp_path: Path) -> None:
    assert PLACE is not None
    (pattern, _) = (block.strip() for block in code_blocks(PAGE, "text"))
    (tmp_path / PLACE.folder).mkdir()
    (shown := tmp_path / PLACE.folder / PLACE.segment(7)).touch()
    (tmp_path / WAITING).mkdir()
    (tmp_path / WAITING / kept_name("0b" * 32, 8)).touch()
    tail = Path(pattern).relative_to(Path(pattern).parents[1])
    assert glob.glob(str(tmp_path / tail), include_hidden=True) == [str(shown)]
