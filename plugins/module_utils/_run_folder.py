# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of one verification (private): its files under their names, and ``latest`` beside it.

A folder per run and not one that is overwritten: the verdict before a change is worth as much as the one after it.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Optional, Sequence

from ansible_collections.podnet.calico.plugins.module_utils import _report, _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import Snapshot, Verdict

INTENT = "intent.json"
_NAMES = {"snapshot_path": "snapshot.jsonl.gz", "verdict_path": "verdict.json"}


def prepare(module: Any) -> None:
    """Make ``run_dir`` before anything is asked of a cluster, and let the paths that were not named lie in it."""
    folder = module.params["run_dir"]
    if folder is None:
        if module.params["reports"]:
            raise PodnetError("reports has no run_dir to be written to", "Name run_dir, or use podnet.calico.routing_report.")
        return
    for option, name in _NAMES.items():
        module.params[option] = module.params[option] or os.path.join(folder, name)
    if module.check_mode:
        return
    try:
        _make(folder)
        _link(os.path.join(os.path.dirname(os.path.abspath(folder)), "latest"), os.path.basename(os.path.abspath(folder)))
    except OSError as error:
        raise PodnetError(
            "The folder %s cannot be made (%s)" % (folder, error.strerror), "Name a run_dir where this user may write."
        )
    if module.params["intent"]:
        intent = json.dumps(module.params["intent"], indent=1, sort_keys=True, ensure_ascii=False)
        _verdict_file.write_text(os.path.join(folder, INTENT), intent + "\n")


def write_reports(module: Any, snapshot: Snapshot, verdict: Verdict) -> Dict[str, str]:
    """The paths of the reports that ``reports`` asks for, by format; check mode writes none."""
    if module.check_mode or not module.params["reports"]:
        return {}
    return render_to([verdict], snapshot, module.params["reports"], module.params["run_dir"])


def render_to(
    verdicts: Sequence[Verdict],
    snapshot: Optional[Snapshot],
    formats: Sequence[str],
    folder: str,
    title: str = _report.TITLE,
) -> Dict[str, str]:
    """Write the verdicts as ``formats`` to ``folder``: all are rendered before any is written, so none is left half made."""
    texts = {name: _report.render(verdicts, name, snapshot, title) for name in formats}
    paths = {name: os.path.join(folder, "report" + _report.FORMATS[name]) for name in formats}
    for name, text in texts.items():
        _verdict_file.write_text(paths[name], text)
    return paths


def _make(folder: str) -> None:
    """Like os.makedirs, but the folders between are their owner's only as well."""
    if not os.path.isdir(folder):
        _make(os.path.dirname(os.path.abspath(folder)))
        os.mkdir(folder, 0o700)


def _link(path: str, target: str) -> None:
    """Point the link at ``target`` in one step: it is never absent. A file of that name that is no link is left alone."""
    if os.path.lexists(path) and not os.path.islink(path):
        return
    temporary = "%s.%d" % (path, os.getpid())
    os.symlink(target, temporary)
    os.replace(temporary, path)


def kept_intent(files: Sequence[str]) -> Optional[Dict[str, Any]]:
    """The intent that the run which kept a snapshot judged it by, where it lies beside the one file; PodnetError if damaged."""
    path = os.path.join(os.path.dirname(files[0]), INTENT) if len(files) == 1 and os.path.isfile(files[0]) else ""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            intent = json.load(file)
    except (OSError, ValueError) as error:
        raise PodnetError("%s, the intent that this snapshot was judged by, cannot be read: %s" % (path, error))
    if not isinstance(intent, dict):
        raise PodnetError("%s holds no intent: delete it to judge the snapshot without one." % path)
    return intent
