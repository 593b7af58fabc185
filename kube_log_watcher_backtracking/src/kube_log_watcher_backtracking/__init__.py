r"""Tells which regular expressions can keep `re` busy for ages with one line of text.

Python's `re` tries one way of matching after the other. Whoever may write an expression that is run on
texts of others' choice can stop a program with it: ``(a+)+b`` takes a minute for 30 letters, ``.*.*=``
one for 9,000 and hours for 50,000. `judge` says so beforehand::

    >>> from kube_log_watcher_backtracking import judge
    >>> judge(r"card=\d{4}-\d{4}").refusal is None
    True
    >>> judge("(a+)+b").refusal
    'a repeat in it can match one text in several ways, which can take ages: ...'

What is refused
---------------
- A repeat that can match one text in several ways: ``(a+)+``, ``(.|\w)*``, ``(\w+\s?)*``,
  ``(?:(?=a)+a)+``. The number of ways doubles with every few characters.
- What takes more than the square of the text's length, 50,000 characters unless another is given: two
  places, say, where one repeat can hand over to the next anywhere in a text, as in ``.*.*=`` and
  ``^\s*.*\s*=``. The search for a place to begin at counts as a repeat, unless the expression starts with
  ``^``; a repeat at the very end doesn't count, it can't fail. Bounded repeats count as often as they can go
  round: ``key=.{0,20}.{0,20};`` passes.
- What can't be judged within some steps: a judgement must not take ages either.

What is left takes the square of the text's length at worst: for 50,000 characters, one second with
``[\w.]+@``, a quarter of a minute where the repeat is of more than one character, as in
``(?:\w+,)*\w+;``, and perhaps a minute with what somebody has made for it.

How it is told
--------------
The expression becomes an automaton whose states are its own characters, with the search around it. It is
ambiguous where two paths read the same text; a backtracking matcher goes all of them before it gives up.
Whether a loop is ambiguous (then their number doubles), and where one loop can hand over to the next (then
it grows with a power of the length), is decided on pairs and triples of states that the same text leads
to. What can't be told exactly counts as more ways than there are, never as fewer: ``\b`` and ``$`` as if
they could always hold, a back-reference as a copy of its group, an atomic group as an ordinary one. So some
harmless expressions are refused.

It reads the parse tree of the Python that it runs on, and is tried against the `re` of that Python with
random expressions.
"""

from __future__ import annotations

from kube_log_watcher_backtracking.parsing import parse, walk
from kube_log_watcher_backtracking.verdict import COMPLICATED, CROWDED, DOUBLING, Verdict, judge

__all__ = ["COMPLICATED", "CROWDED", "DOUBLING", "Verdict", "judge", "parse", "walk"]
