"""A list of pods, read item by item while it arrives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs

from kube_log_watcher_core.errors import ServerError
from kube_log_watcher_core.kube.decode import as_dict, pod_or_why, read_item
from kube_log_watcher_core.kube.json_reader import JsonReader
from kube_log_watcher_core.models import Pod, UnreadablePod

MOST_PODS: Final = 10_000
"""A list of more is none of one node's pods: a kubelet runs 110 by default, some hundreds at most."""

_LONGEST_FIELD = 64 * 1024


@attrs.frozen
class PodList:
    """What a list said, or one page of it."""

    version: str
    """The resource version from which to watch on."""
    pods: tuple[Pod, ...]
    unreadable: tuple[UnreadablePod, ...] = ()
    """Items of which no pod can be made."""
    more: str = ""
    """The token (``continue``) by which to ask for the next page; empty at the end."""

    def with_page(self, page: PodList) -> PodList:
        """Return this list with the next page. Its version stays: pages show no change that came later."""
        return attrs.evolve(
            self,
            pods=self.pods + page.pods,
            unreadable=self.unreadable + page.unreadable,
            more=page.more,
        )


def read_list(pieces: Iterable[bytes]) -> PodList:
    """Parse a list while it arrives, item by item: each is reduced before the next is decoded.

    So neither the body nor the objects of a thousand pods are ever in memory as a whole, nor is more of a
    single pod than what is wanted of it. Raises `ServerError` for anything that is not a whole list of
    pods, and whatever ``pieces`` raises.
    """
    try:
        return _read(JsonReader(pieces))
    except (ValueError, RecursionError) as error:
        raise ServerError(f"the list is no PodList: {str(error)[:200]}", status=200) from error


def _read(reader: JsonReader) -> PodList:
    fields: dict[str, Any] = {}
    for _ in reader.members("{", "}"):
        name = reader.key()
        if name == "items" and reader.peek() == "[":
            items = fields[name] = []
            for _ in reader.members("[", "]"):
                if len(items) == MOST_PODS:
                    raise ValueError(f"it has more than {MOST_PODS} pods")
                items.append(pod_or_why(*read_item(reader)))
        else:
            value = reader.value(_LONGEST_FIELD)
            fields[name] = [] if name == "items" and value is None else value
    if reader.peek():
        raise ValueError("there is more after its end")
    if fields.get("kind") != "PodList":
        raise ValueError(f"its kind is {fields.get('kind')!r:.60}")
    if not isinstance(fields.get("items"), list):
        raise ValueError("it has no items")
    metadata = as_dict(fields.get("metadata"))
    version, more = metadata.get("resourceVersion"), metadata.get("continue")
    if not isinstance(version, str) or not version:
        raise ValueError("it has no resource version")
    return PodList(
        version=version,
        pods=tuple(item for item in fields["items"] if isinstance(item, Pod)),
        unreadable=tuple(item for item in fields["items"] if isinstance(item, UnreadablePod)),
        more=more if isinstance(more, str) else "",
    )
