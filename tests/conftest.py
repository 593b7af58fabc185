"""What holds for all tests: how their processes start, and which begin first.

Where nothing may be skipped, a skip is a failure, but for programs that no package of Debian or PyPI brings.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator

import pytest

from kube_log_watcher_testing.processes import default_signals
from packaging_support import author_environment, built, checkout, clean_environment

__all__ = ["author_environment", "built", "checkout", "clean_environment"]

NO_SKIPS = "KLW_NO_SKIPS"
"""Set it to 1 where everything that the tests need is supposed to be there."""
PROGRAMS = ("FLUENT_BIT", "FLUENTD", "LOGSTASH", "VECTOR")
"""Variables that name shippers that CI can't install. The reason of a skip begins with what is not set."""
LONGEST_ID = 80
"""Characters or bytes of a parameter that are shown in a test's id."""


@pytest.fixture(scope="session", autouse=True)
def children_start_with_default_signals() -> Iterator[None]:
    """Let tests send signals to what they start, also where this suite was started with them ignored."""
    with default_signals():
        yield


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long parameter by its beginning: the rest may differ from worker to worker, and fill a page."""
    if not isinstance(val, str | bytes) or len(val) <= LONGEST_ID:
        return None
    return f"{val[:LONGEST_ID]!r}..., {len(val)} long"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with groups, which one worker runs each, and with long tests: none is waited for at the end."""

    def begins_first(item: pytest.Item) -> bool:
        return any(item.get_closest_marker(name) for name in ("xdist_group", "long"))

    # Workers that see no groups say nothing of it: each builds and starts everything for itself.
    in_groups = config.getoption("loadgroup", default=False)
    if in_groups and not all("@" in item.nodeid for item in items if item.get_closest_marker("xdist_group")):
        raise RuntimeError("this pytest-xdist sees no groups in what this pytest collects")
    items.sort(key=begins_first, reverse=True)


def pytest_collection_finish() -> None:
    """Let nobody search again for garbage among thousands of tests, which stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skipped test a failed one."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Make a skipped module a failed one."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get(NO_SKIPS) != "1":
        return
    if not _is_about_a_program(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {report.longrepr}"


def _is_about_a_program(skipped: object) -> bool:
    """Whether a skip, as path, line and reason, is for the lack of one of `PROGRAMS`."""
    reason = skipped[2].removeprefix("Skipped: ") if isinstance(skipped, tuple) else ""
    name, _, _ = reason.partition(" ")
    return name in PROGRAMS and name not in os.environ
