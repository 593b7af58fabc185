"""Which Docker logs the Scalyr agent decodes before its parser sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

EVERY = "*"


@attrs.frozen
class Decoding:
    """The parsers that want the message itself, and not the JSON record that Docker wraps it in."""

    names: Mapping[str, str]
    """By parser: the one that is used for decoded lines; `EVERY` stands for all others."""

    @classmethod
    def of(cls, items: Iterable[str]) -> Decoding:
        """Read items like ``a``, ``b=c`` (parser c takes b's place) and ``*``."""
        pairs = (item.partition("=") for item in items)
        return cls({name.strip(): other.strip() or name.strip() for name, _, other in pairs})

    def wants(self, parser: str) -> bool:
        """Whether lines are decoded for a parser."""
        return parser in self.names or EVERY in self.names

    def parser(self, parser: str) -> str:
        """Return the parser that is used in the end."""
        other = self.names.get(parser, self.names.get(EVERY, EVERY))
        return parser if other == EVERY else other
