# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts as task results and as files (private): one shape for both, so that a file is the result without the cut."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any, Dict, NamedTuple, Optional

from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    CheckResult,
    Evidence,
    Finding,
    Header,
    Subject,
    Verdict,
)
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._snapshot import Decoders

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
        return Saved(_verdict(content), content.get("snapshot_path"))
    except OSError as error:
        raise PodnetError("The verdict %s cannot be read (%s)" % (path, error.strerror), _NAME_ONE)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PodnetError(
            "%s is not a verdict of podnet.calico (%s: %s)" % (path, type(error).__name__, error),
            _NAME_ONE,
        )


def _verdict(content: Dict[str, Any]) -> Verdict:
    results = []
    for entry in content["results"]:
        subjects = entry.pop("subjects")
        results.append(CheckResult(**dict(entry, **subjects)))
    return Verdict(
        schema_version=content["schema_version"],
        failed=content["failed"],
        msg=content["msg"],
        summary=content["summary"],
        results=tuple(results),
        findings=tuple(_finding(entry) for entry in content["findings"]),
        header=Decoders().decode(Header, content["header"]) if content.get("header") else None,
    )


def _finding(entry: Dict[str, Any]) -> Finding:
    return Finding(
        **dict(
            entry,
            subject=Subject(**entry["subject"]),
            evidence=Evidence(**entry["evidence"]),
            consequences=tuple(entry["consequences"]),
        )
    )
