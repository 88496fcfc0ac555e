# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a snapshot to the end of a task (private): judge, write what was asked for, exit or fail with the same result."""

from __future__ import annotations

import shlex
from typing import Any, Dict, NoReturn, Optional, Sequence

from ansible_collections.podnet.calico.plugins.module_utils import _checks, _report, _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    FAILED,
    INCONCLUSIVE,
    WARNING,
    Snapshot,
    Verdict,
)
from ansible_collections.podnet.calico.plugins.module_utils._route_diff import RouteDiff
from ansible_collections.podnet.calico.plugins.module_utils._source import save_snapshot


def verdict_arguments() -> Dict[str, Any]:
    """The doc fragment podnet.calico.verdict."""
    return dict(
        fail_on=dict(
            type="list", elements="str", choices=[FAILED, WARNING, INCONCLUSIVE], default=[FAILED, INCONCLUSIVE]
        ),
        max_findings=dict(type="int", default=200),
        verdict_path=dict(type="path"),
        snapshot_path=dict(type="path"),
    )


def judge(module: Any, snapshot: Snapshot, checks: Sequence[str], skip_checks: Sequence[str] = ()) -> Verdict:
    """The verdict on a snapshot; PodnetError for an intent or a check id that makes no sense."""
    try:
        return _checks.judge(
            snapshot,
            intent=module.params.get("intent") or None,
            checks=checks or None,
            skip_checks=skip_checks or None,
            fail_on=tuple(module.params["fail_on"]),
        )
    except ValueError as error:
        raise PodnetError(str(error))


def _kubectl(params: Any) -> str:
    """How a person asks the same cluster: a command pasted from a verdict must not go to another."""
    words = ["kubectl"]
    for option in ("kubeconfig", "context"):
        if isinstance(params.get(option), str):
            words += ["--" + option, shlex.quote(params[option])]
    return " ".join(words)


def finish(
    module: Any,
    snapshot: Snapshot,
    verdict: Verdict,
    kept: Optional[str] = None,
    routes: Optional[RouteDiff] = None,
    at_first: Optional[str] = None,
    **more: Any
) -> NoReturn:
    """Write the files and end the task, with ``more`` keys in its result.

    ``kept``: the file that the snapshot came from, where it came from one. ``routes``: what --diff is to show. ``at_first``: what
    was wrong when it was first looked at, and is no more.
    """
    params = module.params
    snapshot_path = save_snapshot(module, params["snapshot_path"], snapshot) or kept
    verdict_path: Optional[str] = None
    if params["verdict_path"] and not module.check_mode:
        verdict_path = params["verdict_path"]
        _verdict_file.write(verdict_path, verdict, snapshot_path)
    result = _verdict_file.as_result(verdict, max(0, params["max_findings"]))
    screen = _report.about(snapshot) + _report.screen(verdict, _kubectl(params))
    if routes is not None:
        result["diff"] = routes.for_ansible()
        screen += routes.for_screen()
    if at_first:
        screen += ["At first     " + at_first, "             That has passed: a later look found it right."]
    result.update(verdict_path=verdict_path, snapshot_path=snapshot_path, screen=screen, at_first=at_first, **more)
    if verdict.failed:
        module.fail_json(**result)
    module.exit_json(**result)
    raise AssertionError("exit_json returned")
