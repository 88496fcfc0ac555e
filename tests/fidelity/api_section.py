# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's section about the Kubernetes API: a real API server's conversations, and the differences that tests/sandbox lists."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

_SANDBOX = Path(__file__).parents[1] / "sandbox"


def api_section() -> list[str]:
    """Lines of Markdown: how many conversations are replayed, and each listed difference with its reason."""
    conversations = json.loads((_SANDBOX / "recordings" / "kube-apiserver-v1.32.13.json").read_text(encoding="utf-8"))
    return [
        "## The Kubernetes API",
        "",
        f"{len(conversations)} requests that a real kube-apiserver v1.32.13 had answered are replayed to the sandbox, in their order; status, "
        "headers and bodies are compared by `tests/sandbox/test_api_conversations.py`, but for uids, times and revisions. What differs:",
        "",
        "| conversation | where | why |",
        "|---|---|---|",
        *(f"| {_cell(case)} | `{_cell(where or 'all')}` | {_cell(reason)} |" for case, where, reason in _reasons()),
    ]


def _reasons() -> tuple[tuple[str, str, str], ...]:
    sys.path.insert(0, str(_SANDBOX))
    try:
        return importlib.import_module("conversation_reasons").REASONS
    finally:
        sys.path.remove(str(_SANDBOX))


def _cell(text: str) -> str:
    return text.replace("|", ", ").replace("*", "\\*") if "`" not in text else text
