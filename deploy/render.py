"""Renders the chart to plain manifests: ``deploy/examples/<name>.yaml`` to ``deploy/manifests/<name>.yaml``.

Before that, the static configurations of shippers are copied from their distributions into the chart, which
can only read files of its own.

``--check`` writes nothing, and tells with exit code 1 which manifests are out of step.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

HERE = Path(__file__).parent
CHART = HERE / "helm" / "kube-log-watcher"
EXAMPLES = HERE / "examples"
MANIFESTS = HERE / "manifests"
RELEASE, NAMESPACE = "kube-log-watcher", "kube-system"

_OF_HELM = re.compile(r"^ *(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n", re.MULTILINE)
"""Labels that say by which program a manifest was installed."""


def main() -> int:
    """Render all examples, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell what is out of step")
    if parser.parse_args().check:
        stale = sorted({*out_of_step(), *orphans()})
        print("\n".join(f"{path}: out of step, call `make manifests`" for path in stale), end="")
        return int(bool(stale))
    for path, text in configurations():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path, text in manifests():
        path.write_text(text)
    for path in orphans():
        path.unlink()
    return 0


def configurations() -> Iterable[tuple[Path, str]]:
    """Yield each static configuration in the chart with what it must hold."""
    for file in sorted(HERE.parent.glob("kube_log_watcher_*/src/*/static/*")):
        if file.is_file():
            shipper = file.parent.parent.name.removeprefix("kube_log_watcher_")
            yield CHART / "files" / shipper / file.name, file.read_text()


def manifests() -> Iterable[tuple[Path, str]]:
    """Yield each example's manifest with what it must hold."""
    with Chart.load(CHART) as chart:
        for example in sorted(EXAMPLES.glob("*.yaml")):
            text = example.read_text()
            head = f"# Made by `make manifests` of deploy/examples/{example.name}.\n{_comment(text)}"
            yield MANIFESTS / example.name, head + plain(chart, yaml.safe_load(text))


def plain(chart: Chart, values: Mapping[str, Any]) -> str:
    """Render all manifests into one text, without what is only of Helm."""
    rendered = chart.render(dict(values), name=RELEASE, namespace=NAMESPACE)
    texts = [text.strip() for name, text in sorted(rendered.items()) if name.endswith(".yaml")]
    return "".join(f"---\n{_OF_HELM.sub('', text)}\n" for text in texts if text)


def out_of_step() -> Iterable[Path]:
    """Name the manifests that are not what the chart gives."""
    wanted = (*configurations(), *manifests())
    return (path for path, text in wanted if not path.exists() or path.read_text() != text)


def orphans() -> Iterable[Path]:
    """Name the manifests without an example."""
    return [path for path in MANIFESTS.glob("*.yaml") if not (EXAMPLES / path.name).exists()]


def _comment(text: str) -> str:
    """Return the comment that a values file begins with."""
    found = re.match(r"(?:#.*\n)*", text)
    return found[0] if found else ""


if __name__ == "__main__":
    sys.exit(main())
