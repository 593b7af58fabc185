"""The fast emitter, libyaml's, writes what the plain one writes."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
import yaml

from kube_log_watcher_appdynamics.render import FAST_DUMPER, PLAIN_DUMPER, document, job, text_of
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import make_target

BLANKS = [" a", "a ", "\n", "a\nb ", "a " * 200, "é " * 90, "日本 " * 60]
CHARACTERS = ["".join(map(chr, range(first, first + 64))) for first in range(0, 0x3000, 64)]


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
def test_both_emitters_write_the_same_bytes_whatever_a_label_holds() -> None:
    for value in [*hostile.annotation_values(), *CHARACTERS, *BLANKS]:
        said = document(make_target(labels={"application": value, "version": value[::-1]}))
        assert text_of(said, FAST_DUMPER) == text_of(said, PLAIN_DUMPER)


def test_a_path_that_is_no_utf_8_is_written_all_the_same() -> None:
    target = attrs.evolve(make_target(), log_path=Path("/var/log/\udcff/0.log"))
    assert yaml.safe_load(job(target))["version"] == 2
