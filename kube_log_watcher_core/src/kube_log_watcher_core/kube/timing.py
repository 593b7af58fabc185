"""Every duration and bound of the watch, with the reason for its default."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Timing:
    """How long the watch waits for what, in seconds, and how much it reads."""

    connect_seconds: float = 5.0
    """For a connection: on a cluster's network this takes milliseconds or does not happen."""
    answer_seconds: float = 30.0
    """For the next bytes of a list or a pod. A queued request of an overloaded server waits up to 15 s."""
    list_seconds: float = 60.0
    """For a whole answer, from its first byte to its last: a page of a list, a pod, or one event of a watch.
    The server itself gives up on a request after 60 s."""
    empty_seconds: tuple[float, ...] = (2.0, 4.0, 8.0)
    """The waits before an empty list is asked for again while there are pods on the disk; after as many it
    is believed. Nodes whose disk is not empty run at least one pod, most often the watcher's own: a server
    that shows none is one that has just started, was restored, or is the wrong one. Some seconds, for until
    then nothing new can be configured."""
    silence_seconds: float = 130.0
    """Without a byte for so long, a stream is dead. Bookmarks come about every 60 s: one may be late,
    two missing in a row are a fault. A server that shuts down keeps its streams open, silent, for 60 s
    and then ends them properly, so less than that would gain nothing."""
    watch_seconds: tuple[float, float] = (300.0, 600.0)
    """The range out of which a watch's timeout is drawn, so that not all nodes come back at once."""
    stable_seconds: float = 10.0
    """A stream that lived so long was a good one: its end is followed by the next one at once."""
    short_seconds: float = 0.9
    """A stream that lived so long was of some use, although it was no good one. Some proxies end every
    stream after a second."""
    backoff_seconds: float = 0.8
    """The first wait after a failure, as client-go's reflector has it."""
    backoff_limit_seconds: float = 30.0
    """The longest wait after failures, as client-go's reflector has it."""
    unsynced_limit_seconds: float = 5.0
    """The longest wait before the first list: until then nothing at all can be configured on this node,
    and what is asked for comes from the server's memory (``resourceVersion=0``)."""
    token_poll_seconds: float = 0.5
    """Between two looks at the token's file while the token is refused."""
    forbidden_seconds: float = 5.0
    """How long 403 may last before it is taken for a missing right: for a moment after its own start
    a server refuses those who do have it."""
    relist_seconds: tuple[float, float] = (30.0, 60.0)
    """The range out of which the time to the next try of a list is drawn while pods are asked for singly."""
    missing_seconds: tuple[float, float] = (1.5, 60.0)
    """First and longest time between two questions for a pod that the API does not know; doubles."""
    found_seconds: tuple[float, float] = (15.0, 240.0)
    """First and longest time between two questions for a pod that the API knows; doubles."""
    hurry_seconds: float = 3.0
    """The least time between two questions for one pod, whoever is in a hurry."""
