"""Things to do at times of a clock that may stand still."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Agenda:
    """A clock that goes on only when told to, and what is to be done by it."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds that it has run."""
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something when the clock has run for so long."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), action))

    def advance(self, seconds: float) -> None:
        """Let the clock run, and do what is due."""
        self.now += seconds
        while self._due and self._due[0][0] <= self.now:
            heapq.heappop(self._due)[2]()


class Clocks:
    """The clocks of a node.

    Where the shipper is spared nothing, only the watcher is: no file comes and goes while it is down, for
    nobody could keep that.
    """

    def __init__(self, *, spares: bool = True) -> None:
        self._spares = spares
        self.always = Agenda()
        """Never stands still."""
        self.shipping = Agenda()
        """Stands still while the shipper is down; or the watcher, where the shipper is not spared."""
        self.following = Agenda() if spares else self.always
        """Stands still while the watcher or the shipper is down, if the shipper is spared."""
        self.telling = Agenda()
        """Stands still while a changed label can't come through: watcher or shipper are down, or refused."""

    def advance(self, seconds: float, *, watcher: bool, shipper: bool, refused: bool = False) -> None:
        """Let those run that may."""
        self.always.advance(seconds)
        if watcher and shipper and not refused:
            self.telling.advance(seconds)
        if shipper if self._spares else watcher:
            self.shipping.advance(seconds)
        if self._spares and shipper and watcher:
            self.following.advance(seconds)
