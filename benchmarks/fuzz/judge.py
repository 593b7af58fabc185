"""Whether what the watcher has written is the truth: at any moment, and after quiet. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from benchmarks.fuzz.model import LABELS, Model, Shown

Entries = Mapping[str, Mapping[str, Any]]
"""The logs of an ``agent.json`` by their paths."""


@attrs.frozen
class Look:
    """What was there at one moment."""

    text: bytes | None
    """``agent.json``; None without one."""
    jobs: frozenset[str]
    """The names of job files, taken right after."""
    at: float = 0.0
    """When it was over, of a monotonic clock."""


def job_name(container_id: str) -> str:
    """Return the name of a container's job file."""
    return f"container-{container_id}-jobfile.job"


def logs_of(text: bytes) -> Sequence[Mapping[str, Any]]:
    """Return the logs of an ``agent.json``. Raises ValueError when it isn't whole."""
    document = json.loads(text)
    return [*document["logs"]]


def by_path(logs: Sequence[Mapping[str, Any]]) -> Entries:
    """Return logs by their paths."""
    return {str(log["path"]): log for log in logs}


def id_in(entry: Mapping[str, Any]) -> str:
    """Return the container id by which a log goes."""
    return str(entry["attributes"]["container_id"])


def masks_in(entry: Mapping[str, Any]) -> list[str]:
    """Return what an entry replaces secrets by that its pod wants to hide."""
    rules = (str(rule["replacement"]) for rule in entry["redaction_rules"])
    return [each for each in rules if each.startswith("mask-")]


def shown_by(entry: Mapping[str, Any]) -> Shown:
    """Return what an entry shows of the labels."""
    attributes = entry["attributes"]
    return Shown({name: attributes[name] for name in LABELS if name in attributes})


# ---------------------------------------------------------------------- at any moment


def faults_of(look: Look, model: Model) -> Iterator[str]:
    """Yield what must never be seen, whatever happens meanwhile. The model is that of after the look."""
    if look.text is None:
        yield "agent.json is gone"
        return
    try:
        logs = logs_of(look.text)
    except (ValueError, KeyError, TypeError) as error:
        yield f"agent.json is not whole: {error}"
        return
    for named in ([str(log["path"]) for log in logs], [id_in(log) for log in logs]):
        yield from (f"{each} is there {count} times" for each, count in Counter(named).items() if count > 1)
    for log in logs:
        yield from _wrongly_named(log, model)
    yield from _lost(look, by_path(logs), model)


def _lost(look: Look, found: Entries, model: Model) -> Iterator[str]:
    for path, entry in model.untouched.items():
        if path not in found:
            yield f"{path} is lost, and nothing has happened to it"
        elif found[path] != entry:
            yield f"{path} has changed, and nothing has happened to it: {found[path]} was {entry}"
        elif job_name(id_in(found[path])) not in look.jobs:
            yield f"the job file of {path} is lost, and nothing has happened to it"
    for path, until in model.draining.items():
        if look.at < until and path not in found:
            yield f"{path} is let go {until - look.at:.2f} s before the end of its drain"


def _wrongly_named(log: Mapping[str, Any], model: Model) -> Iterator[str]:
    path, attributes = str(log["path"]), log["attributes"]
    if path not in model.ever:
        yield f"{path} is nobody's log"
        return
    pod, run = model.ever[path]
    own = {"namespace": pod.namespace, "pod": pod.name, "container": run.files.name}
    wrong = {name: attributes.get(name) for name, value in own.items() if attributes.get(name) != value}
    if wrong:
        yield f"{path} of {pod.key} goes by {wrong}"
    if id_in(log) != run.files.id:
        other = model.ids.get(id_in(log), "nobody")
        # Whose an id is that two links tell, the API says; that it does is waited for in quiet.
        if not run.contested and (other != "nobody" or not run.may_be_nameless):
            yield f"{path} of {pod.key} goes by the id of {other}"
    shown = shown_by(log)
    without_tier = {name: value for name, value in shown.labels.items() if name != "tier"}
    version = next((each for each in pod.versions if each.release == shown.labels.get("release")), None)
    wanted = version.masks.get(run.files.name) if version else None
    if version and masks_in(log) != ([wanted] if wanted else []):
        yield f"{path} of {pod.key} has the labels of {version.release} and hides secrets by {masks_in(log)}"
    ever = [
        {name: version.labels[name] for name in LABELS if version.labels.get(name)}
        for version in pod.versions
    ]
    if not any(without_tier.items() <= labels.items() for labels in ever):
        yield f"{path} of {pod.key} has labels that its pod never had: {dict(shown.labels)}"


# ---------------------------------------------------------------------- after quiet


def differences(look: Look, model: Model) -> list[str]:
    """Return what is otherwise than it must be, once nothing happens any more. Empty when all is well."""
    if look.text is None:
        return ["there is no agent.json"]
    try:
        found = by_path(logs_of(look.text))
    except ValueError as error:
        return [f"agent.json is not whole: {error}"]
    there = {run.path: [*allowed] for run, allowed in model.expected()}
    told = [f"{path} is followed, and is not there" for path in found.keys() - there.keys()]
    for path, allowed in there.items():
        shown = shown_by(found[path]) if path in found else None
        if shown not in allowed:
            told.append(f"{path} of {model.ever[path][0].key}: {_text(shown)}, not {_texts(allowed)}")
    for path, entry in found.items():
        owner = model.ids.get(id_in(entry), path)
        if path in there and owner in there and owner != path and model.ever[owner][0].in_api:
            told.append(f"{path} goes by the id of {owner}")
    jobs = {job_name(id_in(entry)): path for path, entry in found.items()}
    told += [f"{jobs[name]} has no job file" for name in jobs.keys() - look.jobs]
    told += [f"{name} is nobody's job file" for name in look.jobs - jobs.keys()]
    return told


def _text(shown: Shown | None) -> str:
    return "not followed" if shown is None else str(dict(shown.labels))


def _texts(allowed: Sequence[Shown | None]) -> str:
    return " or ".join(map(_text, allowed))
