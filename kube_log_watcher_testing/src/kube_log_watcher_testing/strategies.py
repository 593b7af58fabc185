"""Strategies for hypothesis: random combinations of everything hostile. The one module that imports it."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kube_log_watcher_core.models import Container, Layout, LogTarget, Pod
from kube_log_watcher_testing import factories, hostile

MEANINGFUL_LABELS = ("application", "component", "version", "release", "environment")
"""Labels that the watcher itself reads."""


def texts(*, large: bool = False) -> SearchStrategy[str]:
    """Return hostile texts, random ones, and both put together; with ``large``, very long ones, too.

    Lone surrogates are not among them: the watcher replaces those as it decodes.
    """
    corpus = st.sampled_from(hostile.TEXTS if large else hostile.SHORT)
    anything = st.text(st.characters(codec="utf-8"), max_size=30)
    return corpus | anything | st.lists(corpus | anything, min_size=2, max_size=4).map("".join)


def names() -> SearchStrategy[str]:
    """Return texts that stand where a name is needed: not empty."""
    return texts().filter(bool)


def label_sets(*further: str) -> SearchStrategy[dict[str, str]]:
    """Return sets of labels: some of those that have a meaning, and some of anybody's."""
    known = st.sampled_from([*MEANINGFUL_LABELS, *further])
    return st.dictionaries(known | known | texts(), texts(), max_size=6)


def images() -> SearchStrategy[str | None]:
    """Return image references, good and hostile."""
    good = st.sampled_from(
        ["app", "localhost:5000/team/app:1.0", "app@sha256:" + "0" * 64, "a/b:c@d", ":", "@"]
    )
    return st.none() | good | texts()


@st.composite
def containers(draw: st.DrawFn, number: int = 1) -> Container:
    """Return containers with hostile names and images; their logs lie where a runtime writes them."""
    return factories.make_container(
        number,
        layout=draw(st.sampled_from(Layout)),
        name=draw(names()),
        pod=draw(names()),
        namespace=draw(names()),
        image=draw(images()),
    )


@st.composite
def pods(draw: st.DrawFn, annotations: SearchStrategy[dict[str, str]] | None = None) -> Pod:
    """Return pods with hostile names, labels and annotations."""
    container = draw(containers())
    noted = draw(
        annotations if annotations is not None else st.dictionaries(texts(), texts(large=True), max_size=3)
    )
    return factories.make_pod(container, labels=draw(label_sets()), annotations=noted)


@st.composite
def targets(
    draw: st.DrawFn,
    number: int = 1,
    *,
    labels: SearchStrategy[dict[str, str]] | None = None,
    annotations: SearchStrategy[dict[str, str]] | None = None,
) -> LogTarget:
    """Give targets of which everything is hostile that a pod's author decides; all labels are attributes."""
    return factories.make_target(
        draw(containers(number)),
        labels=draw(labels if labels is not None else label_sets()),
        annotations=draw(annotations) if annotations is not None else {},
        labels_as_attributes=("*",),
    )


@st.composite
def target_lists(
    draw: st.DrawFn,
    *,
    most: int = 3,
    labels: SearchStrategy[dict[str, str]] | None = None,
    annotations: SearchStrategy[dict[str, str]] | None = None,
) -> list[LogTarget]:
    """Return lists of targets, sorted by id as agents get them."""
    count = draw(st.integers(min_value=0, max_value=most))
    return [draw(targets(number, labels=labels, annotations=annotations)) for number in range(1, count + 1)]
