# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/troubleshooting.md, and a page for each area: every message as it is written in the code, and what to do."""

from __future__ import annotations

from .extraction import Message, messages
from .texts import areas, lacking

_HEAD = """# Troubleshooting

Every message that a run can end with, in the words in which it is emitted, by when one meets it: search for some words of yours.
`{…}` stands for what differs from case to case. Each says already what was being done and what came back; here is what it means and
how to go on.

Ansible repeats the last message of a failed task; the roles put theirs into `msg`. `-v` shows the task's whole result, `-vvv` the
traceback of a defect. What is not here: the findings of the checks, of which each [has a page](checks.md); Ansible's own words
about options of a wrong type; and the answers of an API server, a sandbox's too, which are Kubernetes'.

| when | messages | |
|---|---|---|
"""
_VERDICT = """
## When a verification fails

The last message is the verdict in one line, and begins in one of these ways. Its findings are in the report, and each names its check.

- `2 of 148 checks failed: …`: the first cause follows. Open its check's page; the remedy in the report is for this very case.
- `3 of 148 checks could not be decided: …`: evidence is missing, or the configuration is not modelled ([scope](scope.md)). The
  reason follows; most often a right is missing ([rbac](rbac.md)) or the deadline passed. `pod_routing_fail_on: [failed]` lets such
  a run end well.
- `Nothing was proved: …`: no check passed. The selectors left out everything, the cluster is empty, or it is the wrong one.
- `148 of 148 checks passed`, with warnings or without: the run ends well.
"""


def pages() -> dict[str, str]:
    """Each page by its path. ValueError if a message has no text, or a text no message."""
    found = messages()
    problems = lacking(found)
    if problems:
        raise ValueError("\n".join(problems))
    known = {one.text: one for one in found}
    head, documents = _HEAD, {}
    for name, area in areas().items():
        told = [(known[entry["says"]], " ".join(entry["do"].split())) for entry in area["messages"]]
        intro = " ".join(area["intro"].split())
        # An area's links are written from its own page, a folder below this one.
        head += f"| [{area['title']}](troubleshooting/{name}.md) | {len(told)} | {intro.replace('](../', '](')} |\n"
        lines = [f"# {area['title']}", "", intro, "", "[All areas](../troubleshooting.md)", ""]
        documents[f"docs/troubleshooting/{name}.md"] = "\n".join(lines + [_entry(*one) for one in told])
    return {"docs/troubleshooting.md": head + _VERDICT, **documents}


def _entry(message: Message, text: str) -> str:
    """As Markdown: the message as code, whatever ticks it has itself; where it is from; what to do."""
    said = f"{message.text}{'' if message.text.endswith(('.', '!', '?')) else '.'} {message.remedy}" if message.remedy else message.text
    return f"- `` {said} ``\n  *({message.source})* {text}\n"
