# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one entry to all formats (private)."""

from __future__ import annotations

import json
from typing import Callable, Dict, Optional, Sequence

from .._model import Snapshot, Verdict
from .._verdict_file import as_document
from . import combined, junit, markdown, page, text

FORMATS: Dict[str, str] = {"html": ".html", "junit": ".xml", "json": ".json", "markdown": ".md", "text": ".txt"}
TITLE = "Calico pod routing"
_SHORT = {"md": "markdown"}


def render(verdicts: Sequence[Verdict], format: str, snapshot: Optional[Snapshot] = None, title: str = TITLE) -> str:
    """One or several verdicts on one cluster as a document.

    ``snapshot``: what the verdicts are about, with its probes; with it the HTML page is the lesson, without it only the
    verdict. ValueError for an unknown format or no verdict.
    """
    if not verdicts:
        raise ValueError("There is no verdict to report.")
    name = _SHORT.get(format, format)
    writers: Dict[str, Callable[[], str]] = {
        "html": lambda: page.render(combined.combine(verdicts), snapshot, title),
        "junit": lambda: junit.render(combined.combine(verdicts), title),
        "markdown": lambda: markdown.render(combined.combine(verdicts), title),
        "text": lambda: text.render(combined.combine(verdicts)),
        "json": lambda: _json(combined.combine(verdicts)),
    }
    if name not in writers:
        raise ValueError("Unknown report format %r; there are %s." % (format, ", ".join(sorted(writers))))
    return writers[name]()


def _json(verdict: Verdict) -> str:
    return json.dumps(as_document(verdict), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
