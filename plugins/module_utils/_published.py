# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as a few kB of variables that another job is given (private, pure), and what may be believed of such variables.

In AWX what a play publishes with set_stats is stored with its job, shown, put into notifications and handed to every job after it.
So it is small, and plain text; and the job after it does not believe that it is there, or whole, or not somebody else's.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.podnet.calico.plugins.module_utils._checks import OUTCOMES
from ansible_collections.podnet.calico.plugins.module_utils._model import FAILED, INCONCLUSIVE, PASSED, WARNING
from ansible_collections.podnet.calico.plugins.module_utils._plain import count, printable

#: What a verdict is not, when it is none.
MISSING, MALFORMED = "missing", "malformed"
_COUNTS = ("total",) + tuple(OUTCOMES)
_HEADLINES, _WIDTH = 5, 300  # 1.5 kB at most
_NAME = "podnet_verdict"
_TEMPLATE = re.compile(r"\{(?=[{%#])")
_NO_VERDICT = (
    "The job before this one left no verdict: it verified nothing, or ended before it had judged. A job without a verdict is no pass, "
    "whatever its colour: look at what it printed."
)


class Published(NamedTuple):
    """What was published: the word, why it is no pass ("" for one), the counts and the headlines."""

    verdict: str
    why: str
    summary: Dict[str, int]
    headlines: List[str]


def publish(verdicts: Mapping[str, Any], fail_on: Sequence[str]) -> Dict[str, Any]:
    """The verdicts of the hosts of a play, by host, each as its task returned it, as one; a host without a verdict makes it inconclusive.

    ``fail_on`` says whether warnings fail. What fails the play is the caller's; what failed, or was not seen, is no pass.
    """
    judged = {host: result for host, result in verdicts.items() if isinstance(result, Mapping) and "summary" in result}
    silent = [host for host in verdicts if host not in judged]
    summary = {name: sum(result["summary"].get(name, 0) for result in judged.values()) for name in _COUNTS}
    nothing = [host for host, result in judged.items() if not result["summary"].get(PASSED)]
    if summary[FAILED] or (summary[WARNING] and WARNING in fail_on):
        word = FAILED
    elif silent or nothing or not judged or summary[INCONCLUSIVE]:
        word = INCONCLUSIVE
    else:
        word = PASSED
    headlines = ["%s has no verdict" % host for host in silent]
    for host, result in judged.items():
        causes = [finding for finding in result.get("findings", []) if finding.get("cause") is None]
        headlines += [("%s: " % host if len(verdicts) > 1 else "") + str(finding["message"]) for finding in causes]
    return {"podnet_verdict": word, "podnet_summary": summary, "podnet_headlines": _bounded(headlines)}


def read(given: Mapping[str, Any], document: Optional[str] = None) -> Published:
    """What ``podnet_verdict``, ``podnet_summary`` and ``podnet_headlines`` among ``given`` come to; of whatever type they are.

    ``document``: the text of the verdict's file, where that is within reach; it must have the same counts.
    """
    word, summary = given.get(_NAME), given.get("podnet_summary")
    headlines = given.get("podnet_headlines")
    told = _bounded([line for line in headlines if isinstance(line, str)]) if isinstance(headlines, (list, tuple)) else []
    if word in (None, "") and not summary:
        return Published(MISSING, _NO_VERDICT, {}, told)
    counts = _counts(summary)
    if not isinstance(word, str) or word not in (PASSED, FAILED, INCONCLUSIVE) or counts is None:
        why = "%s and podnet_summary are not what podnet.calico.verify publishes: %s" % (_NAME, printable(repr((word, summary)), _WIDTH))
        return Published(MALFORMED, why, {}, told)
    if document is not None and _counts(_summary_of(document)) is None:
        return Published(MALFORMED, "The verdict's file is no whole verdict: it is cut off, or another file.", counts, told)
    if document is not None and _counts(_summary_of(document)) != counts:
        return Published(MALFORMED, "The verdict's file has other counts than podnet_summary: it is another verdict.", counts, told)
    if word == PASSED and (counts[FAILED] or counts[INCONCLUSIVE] or not counts[PASSED]):
        return Published(MALFORMED, "podnet_verdict says passed, and podnet_summary does not: %s." % _tell(counts), counts, told)
    return Published(word, "" if word == PASSED else "The verdict is %s: %s." % (word, _tell(counts)), counts, told)


def _tell(counts: Dict[str, int]) -> str:
    told = ["%d %s" % (counts[outcome], outcome) for outcome in (FAILED, INCONCLUSIVE, WARNING) if counts[outcome]]
    return "of %s %s" % (count(counts["total"], "check"), ", ".join(told) or "none passed")


def _counts(summary: Any) -> Optional[Dict[str, int]]:
    """The counts, if it is a summary: a whole number for each outcome, that come to the total."""
    if not isinstance(summary, Mapping) or set(summary) != set(_COUNTS):
        return None
    counts = {name: summary[name] for name in _COUNTS}
    if not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in counts.values()):
        return None
    return counts if sum(counts[name] for name in OUTCOMES) == counts["total"] else None


def _summary_of(document: str) -> Any:
    try:
        content = json.loads(document)
    except ValueError:
        return None
    return content.get("summary") if isinstance(content, dict) else None


def _bounded(lines: Sequence[str]) -> List[str]:
    # Cut once more: what is not printable becomes longer. Whoever gives them on in a file of variables would have templates evaluated.
    shown = [_TEMPLATE.sub("{ ", printable(str(line), _WIDTH))[:_WIDTH] for line in lines[:_HEADLINES]]
    return shown + (["… and %d more, in the report" % (len(lines) - _HEADLINES)] if len(lines) > _HEADLINES else [])
