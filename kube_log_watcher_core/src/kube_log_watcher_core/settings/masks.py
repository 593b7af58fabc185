"""Keeps secrets out of what is shown of a file."""

from __future__ import annotations

import json
import re

import attrs

from kube_log_watcher_core.settings.fields import fields_of
from kube_log_watcher_core.settings.kinds import Secret

MASK = "***"
_VALUE = r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;}\]]+)"""


class Masks:
    """Hides the secrets of some settings: their values, and whatever stands behind their names.

    The second is for a file that is there already: it may hold a key that the settings have never
    heard of.
    """

    def __init__(self, settings: object) -> None:
        fields = fields_of(type(settings)) if attrs.has(type(settings)) else ()
        values = [(field.name, getattr(settings, field.name)) for field in fields]
        secrets = [(name, value.reveal()) for name, value in values if isinstance(value, Secret)]
        texts = {form for _, text in secrets for form in (text, json.dumps(text)[1:-1]) if form}
        self._texts = sorted(texts, key=len, reverse=True)
        names = "|".join(re.escape(name) for name, _ in secrets)
        self._named = re.compile(rf"""(\b(?:{names})\b["']?\s*[:=]\s*){_VALUE}""") if names else None

    def hide(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._texts:
            text = text.replace(secret, MASK)
        return self._named.sub(rf'\1"{MASK}"', text) if self._named else text
