"""The real Scalyr agent ships what the written agent.json says, to a receiver on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kube_log_watcher_core import Layout, LogTarget
from scalyr_process import NEEDS_AGENT, PYTHON, cri_line, docker_lines, running_agent
from scalyr_receiver import Receiver
from scalyr_support import (
    ATTRIBUTES,
    LINE_GROUPERS,
    PARSER,
    REDACTION,
    SAMPLING,
    a_target,
    an_agent,
    container_id,
)
from support import wait_until

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
REDACTED = "+++JWT_TOKEN_REDACTED+++"

pytestmark = [pytest.mark.scalyr, NEEDS_AGENT]


def annotated(parser: str, *, sampling: object = (), redaction: object = ()) -> dict[str, str]:
    return {
        PARSER: json.dumps([{"container": "main", "parser": parser}]),
        SAMPLING: json.dumps([{"container": "main", "sampling-rules": sampling}]),
        REDACTION: json.dumps([{"container": "main", "redaction-rules": redaction}]),
    }


class TestShipping:
    """One run of the real agent, over logs of both layouts."""

    def test_lines_arrive_with_their_pods_attributes_redacted_sampled_and_renamed(
        self, tmp_path: Path
    ) -> None:
        decoded, raw, cri, odd = self.targets(tmp_path)
        with Receiver() as receiver:
            agent = an_agent(
                tmp_path, parse_lines_json=("app",), config_check_interval=0.5, bad_redaction="ship"
            )
            agent.sync([decoded, raw, cri, odd])
            with running_agent(agent.settings.config_path, receiver):
                self.first_lines_arrive(receiver)
                self.later_lines_arrive(receiver, decoded=decoded, cri=cri)
        self.attributes_are_those_of_the_pods(receiver)

    def targets(self, folder: Path) -> list[LogTarget]:
        """Make the logs. The third lies in a folder whose name would be a glob."""
        logs = [folder / "logs" / str(number) / "x.log" for number in range(4)]
        logs[2] = folder / "logs" / "pod[1]*" / "main" / "0.log"
        for log in logs:
            log.parent.mkdir(parents=True)
        logs[0].write_text(docker_lines("decoded 1", "DEBUG 1", "card=4711 ok", f"token {TOKEN} end"))
        logs[1].write_text(docker_lines("raw 1", f"token {TOKEN} end"))
        logs[2].write_text(
            cri_line("cri 1")
            + cri_line("DEBUG 2")
            + cri_line("first half, ", "P")
            + cri_line("second half")
            + cri_line(f"token {TOKEN} end")
        )
        logs[3].write_text(docker_lines("odd 1"))
        sampling = [{"match_expression": "^DEBUG", "sampling_rate": "0"}]
        redaction = [{"match_expression": r"card=(\d+)", "replacement": r"card=\H1", "hash_salt": "salt"}]
        labels = {"application": "shop", "version": "v7", "component": "api", "environment": "canary"}
        return [
            a_target(
                1,
                labels=labels,
                annotations=annotated("app", sampling=sampling, redaction=redaction),
                attributes={"team": "x"},
                log_path=logs[0],
            ),
            a_target(2, labels={"application": "raw"}, log_path=logs[1]),
            a_target(
                3,
                labels={"application": "cri"},
                annotations=annotated("app", sampling=sampling),
                layout=Layout.CRI,
                log_path=logs[2],
            ),
            a_target(
                4,
                labels={"application": "a$b&c d", "version": "$$"},
                annotations=annotated(
                    "odd",
                    sampling=[{"match_expression": 7, "sampling_rate": 2}],
                    redaction=[{"match_expression": "odd", "replacement": r"\2"}, {"match_expression": "("}],
                ),
                log_path=logs[3],
            ),
        ]

    def first_lines_arrive(self, receiver: Receiver) -> None:
        hashed = hashlib.md5(b"4711salt", usedforsecurity=False).hexdigest()
        expected = ["decoded 1", f"card={hashed} ok", f"token {REDACTED} end"]
        wait_until(
            lambda: receiver.messages(application="shop") == expected, timeout=40, what="the decoded lines"
        )
        records = docker_lines("raw 1", f"token {REDACTED} end").splitlines()
        wait_until(lambda: receiver.messages(application="raw") == records, what="the raw lines")
        # Before 2.2.9, the Scalyr agent ships the pieces of a line one by one.
        expected_text = f"cri 1first half, second halftoken {REDACTED} end"
        wait_until(
            lambda: "".join(receiver.messages(application="cri")) == expected_text,
            timeout=30,
            what="the CRI lines",
        )
        wait_until(lambda: receiver.messages(application="a$b&c d"), what="the odd pod's line")

    def later_lines_arrive(self, receiver: Receiver, *, decoded: LogTarget, cri: LogTarget) -> None:
        with decoded.log_path.open("a") as log:
            log.write(docker_lines("DEBUG 3", "decoded 2"))
        with cri.log_path.open("a") as log:
            log.write(cri_line("DEBUG 4") + cri_line("cri 2"))
        wait_until(
            lambda: receiver.messages(application="shop")[-1] == "decoded 2", timeout=30, what="decoded 2"
        )
        wait_until(lambda: receiver.messages(application="cri")[-1] == "cri 2", what="cri 2")
        assert not any("DEBUG" in message for message in receiver.messages(cluster="cluster-1"))

    def attributes_are_those_of_the_pods(self, receiver: Receiver) -> None:
        (line,) = [line for line in receiver.lines if line.message.startswith("decoded 1")]
        expected = {
            "serverHost": "cluster-1",
            "cluster": "cluster-1",
            "node": "node-1",
            "application": "shop",
            "component": "api",
            "version": "v7",
            "environment": "canary",
            "pod": "shop-1",
            "namespace": "default",
            "container": "main",
            "container_id": container_id(1),
            "parser": "app",
            "team": "x",
            "logfile": f"?application=shop&component=api&version=v7&container_id={container_id(1)}",
        }
        assert expected.items() <= line.attributes.items()
        (cri,) = [line for line in receiver.lines if line.message.startswith("cri 1")]
        assert (cri.attributes["parser"], cri.attributes["environment"]) == ("app", "staging")
        (odd,) = [line for line in receiver.lines if line.attributes.get("application") == "a$b&c d"]
        assert odd.attributes["logfile"] == (
            f"?application=a%24b%26c%20d&component=none&version=%24%24&container_id={container_id(4)}"
        )


JUDGE = """
import json, sys
from scalyr_agent.configuration import Configuration
from scalyr_agent.log_processing import LogLineRedacter, LogLineSampler
from scalyr_agent.platform_controller import DefaultPaths

folder, config = sys.argv[1:]
configuration = Configuration(config, DefaultPaths(folder, config, folder), None)
configuration.parse()
lines = ["", "plain", "ab=12 card=4711 eyJhbGci", "x" * 200, "\\u00e4\\u2028 \\U0001f600"]
accepted = []
for log in configuration.log_configs:
    sampler, redacter = LogLineSampler("x"), LogLineRedacter("x")
    for rule in log["sampling_rules"]:
        sampler.add_rule(rule["match_expression"], rule.get_float("sampling_rate", 1.0))
    for rule in log["redaction_rules"]:
        redacter.add_redaction_rule(rule["match_expression"], rule["replacement"], rule.get("hash_salt", ""))
    for line in lines:
        sampler.process_line(line)
        redacter.process_line(line)[0].encode("utf-8")
    for value in log["attributes"].values():
        value.encode("utf-8")
    accepted.append(log["path"])
print(json.dumps(accepted))
"""

HOSTILE_TEXTS = ["", "{", "[[", "null", "[" * 50_000, "x" * 262_144, '["main", 3, null]', "\ud800", "😀"]
HOSTILE_RULES = [
    7,
    None,
    {},
    {"match_expression": 7, "sampling_rate": 0},
    {"match_expression": "(", "sampling_rate": 0},
    {"match_expression": "x", "sampling_rate": True},
    {"match_expression": "x", "sampling_rate": "nan"},
    {"match_expression": "x", "sampling_rate": []},
    {"match_expression": "x", "sampling_rate": 2},
    {"match_expression": "x++", "sampling_rate": 0},
    {"match_expression": "a", "sampling_rate": "0.5"},
    {"match_expression": "x", "replacement": 7},
    {"match_expression": "x", "replacement": r"\2"},
    {"match_expression": "x", "replacement": r"\q"},
    {"match_expression": "x", "replacement": "\ud83d"},
    {"match_expression": "😀", "replacement": "😀"},
    {"match_expression": "(a)|(c)", "replacement": r"\H1\H2"},
    {"match_expression": "(a)?b", "replacement": r"\H1"},
    {"match_expression": r"(\w+)=(\d+)", "replacement": r"\1=\H2"},
    {"match_expression": "x", "replacement": None},
    {"match_expression": "(" * 100 + "a" + ")" * 100, "sampling_rate": 1, "replacement": r"\100"},
    {"match_expression": "", "replacement": "-"},
    {"match_expression": "x*", "replacement": "-", "hash_salt": {}},
]


def hostile_targets() -> Iterator[LogTarget]:
    for number, text in enumerate(HOSTILE_TEXTS, start=1):
        yield a_target(
            number,
            annotations=dict.fromkeys([PARSER, SAMPLING, REDACTION], text),
            labels={"application": text},
        )
    for number, rule in enumerate(HOSTILE_RULES, start=100):
        yield a_target(number, annotations=annotated("p", sampling=[rule], redaction=[rule]))
    yield a_target(
        200, labels={"application": '"\\\n\0\x7f'}, attributes={"😀": "😀", "a\n": "\x1b"}, layout=Layout.CRI
    )


def test_the_agents_own_parser_takes_a_file_full_of_hostile_annotations(tmp_path: Path) -> None:
    """And it can run every rule and encode every attribute that the file holds."""
    agent = an_agent(
        tmp_path,
        parse_lines_json=("*",),
        bad_redaction="ship",
        journald=True,
        journald_attributes={"flag": True, "number": 7},
        journald_extra_fields={"_COMM": "process"},
    )
    targets = list(hostile_targets())
    agent.sync(targets)
    judged = subprocess.run(
        [PYTHON, "-W", "ignore", "-c", JUDGE, tmp_path, agent.settings.config_path],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert judged.returncode == 0, judged.stderr
    paths = json.loads(judged.stdout.splitlines()[-1])
    assert {str(target.log_path) for target in targets} <= set(paths)


def test_plain_annotations_reach_what_is_shipped(tmp_path: Path) -> None:
    """The agent groups the lines of the file, before it decodes them: joined records stay records."""
    log = tmp_path / "logs" / "x.log"
    log.parent.mkdir()
    log.write_text(docker_lines("ERROR card=1", "  at a", "  at b", "INFO card=2", "DEBUG", "INFO last"))
    grouper = {"start": "ERROR", "continueThrough": r"\"log\": \"\s"}
    annotations = {
        PARSER: "java",
        f"{PARSER}.other": "nobody",
        f"{SAMPLING}.main": json.dumps([{"match_expression": "DEBUG", "sampling_rate": 0}]),
        REDACTION: json.dumps([{"match_expression": r"card=\d+", "replacement": "card=***"}]),
        ATTRIBUTES: json.dumps({"team": "x", "tier": 3}),
        LINE_GROUPERS: json.dumps([grouper]),
    }
    agent = an_agent(tmp_path)
    agent.sync([a_target(1, annotations=annotations, log_path=log)])
    with Receiver() as receiver, running_agent(agent.settings.config_path, receiver):
        wait_until(
            lambda: any("last" in line for line in receiver.messages(team="x")),
            timeout=40,
            what="the last line",
        )
    grouped, info, last = receiver.messages(application="shop", parser="java")
    assert grouped + "\n" == docker_lines("ERROR card=***", "  at a", "  at b")
    assert (info + "\n", last + "\n") == (docker_lines("INFO card=***"), docker_lines("INFO last"))
    assert {line.attributes["tier"] for line in receiver.lines if line.attributes.get("team") == "x"} == {3}
