"""The patterns of job files, run over real log lines with a grok library."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_support import make_target
from kube_log_watcher_appdynamics.render import job
from kube_log_watcher_core import Layout

DATA = Path(__file__).parents[1] / "data" / "appdynamics"
PIECE = 16_384
"""Bytes of a line after which a runtime begins a new record."""

Match = Callable[[str], dict[str, Any] | None]


def grok(layout: Layout) -> Match:
    """Give the match of the pattern as a reader of the job file sees it."""
    (pattern,) = yaml.safe_load(job(make_target(layout=layout)))["grok"]["patterns"]
    with warnings.catch_warnings():
        # The library was written before Python told invalid escapes apart.
        warnings.simplefilter("ignore")
        from pygrok import Grok  # type: ignore[import-untyped] # noqa: PLC0415

        match: Match = Grok(pattern).match
    return match


@pytest.fixture(scope="module")
def docker() -> Match:
    return grok(Layout.DOCKER)


@pytest.fixture(scope="module")
def cri() -> Match:
    return grok(Layout.CRI)


def lines(name: str) -> list[str]:
    return (DATA / name).read_text().splitlines()


@pytest.mark.parametrize("number", range(len(lines("docker.log"))))
def test_a_recorded_docker_record_is_taken_apart(docker: Match, number: int) -> None:
    line = lines("docker.log")[number]
    record = json.loads(line)
    assert docker(line) == {
        "logMessage": record["log"].removesuffix("\n"),
        "logStream": record["stream"],
        "logTimestamp": record["time"],
    }


@pytest.mark.parametrize("number", range(len(lines("cri.log"))))
def test_a_recorded_cri_line_is_taken_apart(cri: Match, number: int) -> None:
    line = lines("cri.log")[number]
    time, stream, tag, message = line.split(" ", 3)
    assert cri(line) == {
        "logMessage": message,
        "logStream": stream,
        "logTag": tag,
        "logTimestamp": time,
    }


def test_the_recordings_hold_what_matters() -> None:
    """Both streams, whole lines and pieces, a fraction with its last zeros dropped."""
    found = lines("cri.log")
    assert {line.split(" ")[1] for line in found} == {"stdout", "stderr"}
    assert {line.split(" ")[2] for line in found} == {"F", "P"}
    assert len({len(line.split(" ")[0]) for line in found}) > 1
    assert max(len(line) for line in found) > PIECE
    assert any(len(json.loads(line)["log"]) == PIECE for line in lines("docker.log"))


TIME = "2026-11-22T08:27:26.114302728Z"


def record(message: str, attributes: dict[str, str] | None = None, stream: str = "stdout") -> str:
    """Write a record with its members in the order in which Docker writes them."""
    log = json.dumps(message, ensure_ascii=False)
    attrs = "" if attributes is None else f',"attrs":{json.dumps(attributes, separators=(",", ":"))}'
    return f'{{"log":{log},"stream":"{stream}"{attrs},"time":"{TIME}"}}'


MESSAGES = [
    "plain\n",
    "",
    "\n",
    'a "quoted" word\n',
    "C:\\new\\\n",
    "zażółć\ttab\n",
    '{"log":"nested","stream":"stderr","time":"2020-01-01T00:00:00Z"}\n',
    '","stream":"stderr","time":"2020-01-01T00:00:00Z"}',
    "%{DATA:x} ${x}\n",
]
ATTRIBUTES = [
    None,
    {},
    {"tag": "abc", "env": "live"},
    {"stream": "stderr", "time": "2020-01-01T00:00:00Z"},
    {"a": '"},"time":"2020-01-01T00:00:00Z"}', "b": "},"},
    {"x": "", "stream": "stderr", "attrs": "y"},
]


@pytest.mark.parametrize("attributes", ATTRIBUTES)
@pytest.mark.parametrize("message", MESSAGES)
def test_no_message_and_no_attribute_passes_for_a_part_of_the_record(
    docker: Match, message: str, attributes: dict[str, str] | None
) -> None:
    found = docker(record(message, attributes, stream="stdout"))
    assert found is not None
    assert (found["logStream"], found["logTimestamp"]) == ("stdout", TIME)
    # A backslash right before the newline keeps it: its own escape can't be told from the newline's.
    assert json.loads(f'"{found["logMessage"]}"').rstrip("\n") == message.rstrip("\n")


def test_a_backslash_at_the_end_of_a_piece_is_not_taken_for_a_newline(docker: Match) -> None:
    found = docker(record("C:\\n"))
    assert found is not None
    assert found["logMessage"] == r"C:\\n"


@pytest.mark.parametrize(
    ("rest", "tag", "message"),
    [
        ("F ", "F", ""),
        ("P   indented", "P", "  indented"),
        ("F a b  c", "F", "a b  c"),
        ("F:x y", "F:x", "y"),
    ],
)
def test_a_cri_message_is_all_that_follows_the_tag(cri: Match, rest: str, tag: str, message: str) -> None:
    found = cri(f"{TIME} stderr {rest}")
    assert found is not None
    assert (found["logTag"], found["logMessage"]) == (tag, message)


def joda(pattern: str) -> re.Pattern[str]:
    """Give the texts that Joda-Time (2.1 and later) takes for a pattern of the few letters used here."""
    found = []
    for token in re.finditer(r"'(?P<text>[^']*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>.)", pattern):
        letters = token["letters"]
        if letters is None:
            found.append(re.escape(token["text"] or token["other"]))
        elif letters[0] == "S":
            found.append(rf"\d{{1,{len(letters)}}}")
        else:
            found.append({"yyyy": r"\d{4,9}", "Z": r"(?:Z|[+-]\d\d(?::?\d\d)?)"}.get(letters, r"\d\d?"))
    return re.compile("".join(found))


@pytest.mark.parametrize("layout", Layout)
def test_every_recorded_time_fits_the_pattern_of_the_event_timestamp(layout: Layout) -> None:
    pattern = joda(yaml.safe_load(job(make_target(layout=layout)))["eventTimestamp"]["pattern"])
    match = grok(layout)
    for line in lines(f"{layout.value}.log"):
        found = match(line)
        assert found is not None
        assert pattern.fullmatch(found["logTimestamp"])


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+0000", "-02:30"])
@pytest.mark.parametrize("fraction", ["1", "93368053", "114302728"])
def test_a_time_with_any_zone_and_precision_fits(cri: Match, zone: str, fraction: str) -> None:
    time = f"2026-11-22T08:27:26.{fraction}{zone}"
    found = cri(f"{time} stdout F x")
    assert found is not None
    assert found["logTimestamp"] == time
    pattern = yaml.safe_load(job(make_target()))["eventTimestamp"]["pattern"]
    assert joda(pattern).fullmatch(time)
