# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts as task results and as files (private): one shape for both, so that a file is the result without the cut."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any, Dict, NamedTuple, Optional

from ansible_collections.podnet.calico.plugins.module_utils._checks import OUTCOMES
from ansible_collections.podnet.calico.plugins.module_utils._decoding import Decoder
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    CheckResult,
    Verdict,
)
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain

_COUNTS = ("checked", "passed", "failed", "warning", "skipped", "inconclusive")
_NAME_ONE = "Name a file that routing_assert or connectivity_assert wrote as verdict_path."


def as_result(verdict: Verdict, max_findings: Optional[int] = None) -> Dict[str, Any]:
    """The verdict as a task returns it, with at most ``max_findings`` findings; the cut is said in ``msg``."""
    findings = verdict.findings if max_findings is None else verdict.findings[:max_findings]
    msg = verdict.msg
    if len(findings) < len(verdict.findings):
        msg = "%s (%d of %d findings are returned; the verdict file has all)" % (
            msg,
            len(findings),
            len(verdict.findings),
        )
    return {
        "schema_version": verdict.schema_version,
        "changed": False,
        "failed": verdict.failed,
        "msg": msg,
        "summary": dict(verdict.summary),
        "results": [_result(result) for result in verdict.results],
        "findings": plain(findings),
    }


def _result(result: CheckResult) -> Dict[str, Any]:
    entry = plain(result)
    entry["subjects"] = {name: entry.pop(name) for name in _COUNTS}
    return entry


def as_document(verdict: Verdict, verdict_path: Optional[str] = None, snapshot_path: Optional[str] = None) -> Dict[str, Any]:
    """The whole verdict as a document that stands by itself: a task's result, and of which cluster it is."""
    return dict(as_result(verdict), verdict_path=verdict_path, snapshot_path=snapshot_path, header=plain(verdict.header))


def write(path: str, verdict: Verdict, snapshot_path: Optional[str] = None) -> None:
    """Write the whole verdict, readable by the owner only, in one step or not at all."""
    write_text(path, json.dumps(as_document(verdict, path, snapshot_path), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: str, text: str) -> None:
    """Replace the file ``path``; raises PodnetError."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix=".podnet-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise PodnetError("%s cannot be written (%s)" % (path, error.strerror), "Its folder must exist and be writable.")


class Saved(NamedTuple):
    """A verdict from a file, and where the snapshot is that it judged."""

    verdict: Verdict
    snapshot_path: Optional[str] = None


def read(path: str) -> Saved:
    """A verdict that was written by :func:`write`; raises PodnetError for anything else."""
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
        return Saved(_verdict(content), _kept(content.get("snapshot_path")))
    except OSError as error:
        raise PodnetError("The verdict %s cannot be read (%s)" % (path, error.strerror), _NAME_ONE)
    except (ValueError, RecursionError) as error:
        raise PodnetError("%s is not a verdict of podnet.calico (%s)" % (path, error), _NAME_ONE)


def _kept(path: Any) -> Optional[str]:
    if path is not None and not isinstance(path, str):
        raise ValueError("its snapshot_path is no path")
    return path


def _verdict(content: Any) -> Verdict:
    """ValueError for what is no verdict."""
    if not isinstance(content, dict):
        raise ValueError("no object")
    fields = {name: content[name] for name in Verdict._fields if name in content}
    if isinstance(fields.get("results"), list):
        fields["results"] = [_flat(entry) for entry in fields["results"]]
    verdict = Decoder().decode(Verdict, fields)
    for outcome in (*verdict.summary, *(one.outcome for one in (*verdict.results, *verdict.findings))):
        if outcome not in OUTCOMES and outcome != "total":
            raise ValueError("there is no outcome %r" % outcome)
    return verdict


def _flat(entry: Any) -> Any:
    """A result as the model has it: the counts of its subjects beside the rest."""
    if not isinstance(entry, dict) or not isinstance(entry.get("subjects"), dict):
        return entry
    return dict({name: value for name, value in entry.items() if name != "subjects"}, **entry["subjects"])
