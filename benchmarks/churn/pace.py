"""How fast everything goes: all durations of a run, in seconds, in one place.

What is the shipper's own to lose is kept out by three of these: a container that ends before the shipper
has looked at its configuration (`least_life`), a file that goes before the shipper has come round
(`linger`, but for those that go in a calm), and one that is rotated twice before that (`rotation`). See
docs/explanation/nothing-lost.rst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

Span = tuple[float, float]
"""From, to."""


@attrs.frozen
class Pace:
    """The durations of a run."""

    config_check: float
    """``WATCHER_SCALYR_CONFIG_CHECK_INTERVAL``."""
    write_interval: float
    """``WATCHER_SCALYR_WRITE_INTERVAL``."""
    hold: float
    """``WATCHER_SCALYR_HOLD_SECONDS``: a little longer than the shipper takes to come round."""
    gate: float
    drain: float
    drain_max: float
    spool: float
    """``WATCHER_SPOOL_SECONDS``: only for a shipper that gives no account."""
    full_pass: float
    """``WATCHER_INTERVAL``."""
    request_spacing: float | None
    """The longest that the shipper waits between two rounds over its files; None: its default, 5 s."""
    event: Span
    """Between two events of the plan."""
    rotation: Span
    """Between two rotations of a log."""
    life: Span
    """From a pod's start to its end."""
    least_life: float
    """The shipper must have had a chance to look at its configuration."""
    come_round: float
    """Within which the shipper must have read all that was there."""
    linger: float
    """From a container's last line until its files go: the shipper must have had a chance to come round."""
    round: float
    """From one calm to the next: see `Lane`."""
    watcher_down: Span
    shipper_down: Span
    label_lag: float
    """Lines that are written so long after a change of their labels must carry the new ones."""
    refusal: float
    """How long the receiver takes nothing; only a shipper that is not spared meets that."""
    settle: float
    """How long nothing must arrive at the end until what is missing counts as lost."""
    spares: bool = True
    """Whether nothing happens to a log that its shipper could lose by itself: see `benchmarks.limits`."""
    kills: bool = False
    """Whether a shipper that is not spared is killed, too, although it is known to ship lines again then."""

    def told(self) -> Iterator[str]:
        """Return for people what is done to the shipper and to its logs."""
        yield f"a log is rotated after {_span(self.rotation)}"
        yield f"a pod lives {_span(self.life)}, longer when its labels have changed"
        yield f"a container's files go {self.linger:g} s after its last line"
        away = (
            f"the shipper is away for {_span(self.shipper_down)}, the watcher for {_span(self.watcher_down)}"
        )
        yield f"{away}, the receiver refuses for {self.refusal:g} s" if self.refusal else away
        yield "while the watcher is down no file is rotated or removed: nobody could keep that"

    def shipper_environ(self) -> Mapping[str, str]:
        """Give what the Scalyr agent takes from the environment, because the written file leaves it unset."""
        if self.request_spacing is None:
            return {}
        # Unless told not to, it overrides the value that follows.
        return {
            "SCALYR_DISABLE_MAX_SEND_RATE_ENFORCEMENT_OVERRIDES": "true",
            "SCALYR_MIN_REQUEST_SPACING_INTERVAL": "0.1",
            "SCALYR_MAX_REQUEST_SPACING_INTERVAL": f"{self.request_spacing:g}",
        }


def _span(span: Span) -> str:
    begin, end = span
    return f"{begin:g} s" if begin == end else f"{begin:g} to {end:g} s"


QUICK = Pace(
    config_check=1.0,
    write_interval=1.0,
    hold=0.6,
    gate=3.0,
    drain=5.0,
    drain_max=15.0,
    spool=20.0,
    full_pass=5.0,
    request_spacing=0.5,
    event=(0.6, 1.2),
    rotation=(4.0, 8.0),
    life=(8.0, 18.0),
    least_life=7.0,
    come_round=3.5,
    linger=3.5,
    round=12.0,
    watcher_down=(0.3, 2.0),
    shipper_down=(0.5, 2.0),
    label_lag=10.0,
    refusal=0.0,
    settle=8.0,
)
"""Ten times as fast as the defaults: what waits is shorter, what happens comes more often."""

REAL = Pace(
    config_check=10.0,
    write_interval=5.0,
    hold=6.0,
    gate=30.0,
    drain=300.0,
    drain_max=900.0,
    spool=900.0,
    full_pass=60.0,
    request_spacing=None,
    event=(4.0, 8.0),
    rotation=(30.0, 60.0),
    life=(60.0, 180.0),
    least_life=35.0,
    come_round=20.0,
    linger=20.0,
    round=120.0,
    watcher_down=(1.0, 20.0),
    shipper_down=(1.0, 20.0),
    label_lag=40.0,
    refusal=0.0,
    settle=40.0,
)
"""All defaults of the watcher and of the Scalyr agent."""

HARSH = attrs.evolve(
    QUICK,
    event=(1.5, 3.0),
    rotation=(0.6, 5.4),
    life=(6.0, 14.0),
    least_life=0.0,
    come_round=8.0,
    linger=0.3,
    spool=30.0,
    shipper_down=(6.0, 6.0),
    label_lag=8.0,
    refusal=8.0,
    spares=False,
)
"""As fast as `QUICK`, and nothing is kept from the shipper: what it is not shown in time it loses."""
