#!/usr/bin/env python3
# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what is derived from the code: the checks, the faults, the messages and what to do about them, the schemas of the model.

A test holds the files equal to what this writes. Run it after a change of either: `make docs`, or
`PYTHONPATH=.ansible/collections python scripts/write_docs.py`.
"""

from __future__ import annotations

import json
import pathlib
import sys
import typing

from ansible_collections.podnet.calico.plugins.module_utils import _model as model
from ansible_collections.podnet.calico.plugins.module_utils._checks import CHECKS, OUTCOMES, Check
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS
from ansible_collections.podnet.calico.plugins.module_utils._snapshot import END, KINDS, SCHEMA_VERSION, SHARED
from ansible_collections.podnet.calico.scripts.check_pages import page as check_page
from ansible_collections.podnet.calico.scripts.messages import pages as message_pages

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = {str: "string", int: "integer", bool: "boolean", float: "number"}
_TWO = {"minItems": 2, "maxItems": 2}
COUNTS = ("checked", *OUTCOMES)


class Schemas:
    """JSON Schemas of NamedTuples, each class once under $defs. In an array some of ``shared`` may be numbers."""

    def __init__(self, shared: typing.Collection[type] = ()) -> None:
        self.definitions: dict[str, dict] = {}
        self.shared = shared

    def of(self, hint: object) -> dict:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is tuple:
            items = self.of(arguments[0])
            if arguments[0] in self.shared:
                number = {"type": "integer", "minimum": 0}
                items = {
                    "anyOf": [
                        items,
                        {"description": "the number of a line before", **number},
                        {"description": "the first and the last of such numbers", "type": "array", "items": number, **_TWO},
                    ]
                }
            return {"type": "array", "items": items}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if type(None) in arguments:
            return {"anyOf": [self.of(next(one for one in arguments if one is not type(None))), {"type": "null"}]}
        if hasattr(hint, "_fields"):
            if hint.__name__ not in self.definitions:
                self.definitions[hint.__name__] = {}
                self.definitions[hint.__name__] = self.properties(hint)
            return {"$ref": f"#/$defs/{hint.__name__}"}
        return {"type": _SCALARS[getattr(hint, "__supertype__", hint)]}

    def properties(self, class_: type) -> dict:
        hints = typing.get_type_hints(class_)
        return {
            "description": (class_.__doc__ or "").split("\n\n")[0].replace("\n    ", " "),
            "type": "object",
            "properties": {name: self.of(hints[name]) for name in class_._fields},
            "required": [name for name in class_._fields if name not in class_._field_defaults],
            "additionalProperties": False,
        }


def snapshot_line() -> dict:
    """Schema of one line of a snapshot."""
    schemas = Schemas([class_ for _field, class_ in SHARED.values()])
    choices = []
    for name, class_ in [("header", model.Header), *((name, entry[1]) for name, entry in {**SHARED, **KINDS}.items())]:
        line = schemas.properties(class_)
        line["properties"] = {"line": {"const": name}, **line["properties"]}
        line["required"] = ["line", *line["required"]]
        if name == "header":
            line["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
        choices.append(line)
    choices.append(
        {
            "description": "Last line of a snapshot: how many stand before it.",
            "type": "object",
            "properties": {"line": {"const": END}, "lines": {"type": "integer", "minimum": 1}},
            "required": ["line", "lines"],
            "additionalProperties": False,
        }
    )
    return {
        "$schema": DRAFT,
        "title": "One line of a podnet.calico snapshot",
        "description": "A snapshot is JSON Lines: the header first, then one line per object. A field left out has its default. "
        "What several nodes or pods have is a line of its own before them; they name it by its number among its sort, from 0, "
        "or several by the first and the last number.",
        "oneOf": choices,
        "$defs": dict(sorted(schemas.definitions.items())),
    }


def verdict() -> dict:
    """Schema of a verdict file, which is also what the modules return."""
    schemas = Schemas()
    outcome = {"enum": list(OUTCOMES)}
    finding = schemas.properties(model.Finding)
    finding["properties"]["outcome"] = {"enum": ["failed", "inconclusive", "warning"]}
    finding["properties"]["severity"] = {"enum": ["critical", "major", "minor"]}
    path = {"type": ["string", "null"]}
    result = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "title": {"type": "string"},
            "node": path,
            "outcome": outcome,
            "reason": path,
            "subjects": {
                "type": "object",
                "properties": {name: {"type": "integer", "minimum": 0} for name in COUNTS},
                "required": list(COUNTS),
                "additionalProperties": False,
            },
        },
        "required": ["id", "title", "node", "outcome", "subjects"],
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "title": "A podnet.calico verdict",
        "type": "object",
        "properties": {
            "schema_version": {"const": 1},
            "changed": {"const": False},
            "failed": {"type": "boolean"},
            "msg": {"type": "string"},
            "summary": {
                "type": "object",
                "properties": {name: {"type": "integer", "minimum": 0} for name in ("total", *OUTCOMES)},
                "required": ["total", *OUTCOMES],
                "additionalProperties": False,
            },
            "results": {"type": "array", "items": result},
            "findings": {"type": "array", "items": finding},
            "verdict_path": path,
            "snapshot_path": path,
            "header": {"anyOf": [schemas.of(model.Header), {"type": "null"}]},
        },
        "required": ["schema_version", "changed", "failed", "msg", "summary", "results", "findings"],
        "$defs": dict(sorted(schemas.definitions.items())),
    }


def checks_page() -> str:
    """docs/checks.md: every check with what it proves and why, family by family; a page of its own has the rest."""
    lines = ["# The checks", "", "Choose with `checks` and `skip_checks` of `routing_assert`, by id or wildcard (`blocks.*`).", ""]
    lines += ["Outcomes: " + " · ".join(f"`{outcome}`" for outcome in OUTCOMES) + ". Severity of a failure:"]
    lines += ["critical, packets are lost; major, they will be or go another way; minor, untidy. A check's page says what exactly is"]
    lines += ["compared, on which evidence, shows what a broken cluster makes it say, and has what to do, known issues and limits.", ""]
    families: dict[str, list[Check]] = {}
    for check in CHECKS:
        families.setdefault(check.id.partition(".")[0], []).append(check)
    for family, checks in families.items():
        lines += [f"## {family}", ""]
        for check in checks:
            lines += [f"### {check.id}", "", f"**[{check.title}](checks/{check.id}.md)** ({check.severity})", "", check.why, ""]
    return "\n".join(lines).rstrip() + "\n"


def faults_page() -> str:
    """docs/faults.md: every fault with what it does, which check names it, and who repairs it."""
    lines = ["# The faults", ""]
    lines += ["`podnet.calico.routing_fault` breaks a lab in one of these ways, and heals it; no cluster but the lab. By hand:", ""]
    lines += ["```", "ansible-playbook podnet.calico.break -e podnet_fault=block-route-gateway", "make verify"]
    lines += ["ansible-playbook podnet.calico.break -e podnet_fault_state=absent", "```", ""]
    lines += ["In the sandbox they last as they do with Calico: Felix looks at its routes and sets every 90 s (FelixConfiguration's"]
    lines += ["routeRefreshInterval and ipsetsRefreshInterval), at the tunnel device every 10 s, and at all of it when calico-node starts"]
    lines += ["again; a device that comes up has its routes back at once. While calico-node does not run, nothing is repaired.", ""]
    lines += ["| fault | what is wrong | the check that names it |", "|---|---|---|"]
    for fault in FAULTS.values():
        lines.append(f"| [{fault.name}](#{fault.name}) | {fault.title} | [{fault.check}](checks/{fault.check}.md) |")
    for fault in FAULTS.values():
        lines += ["", f"## {fault.name}", "", f"**{fault.title}**", "", fault.does, ""]
        lines += [f"Repaired by Calico itself: {fault.heals}", "", f"Source: {fault.source}."]
    return "\n".join(lines) + "\n"


def documents() -> dict[str, str]:
    """Each file, by its path from the project's root, with its text."""
    return {
        "docs/checks.md": checks_page(),
        **{f"docs/checks/{check.id}.md": check_page(check) for check in CHECKS},
        "docs/faults.md": faults_page(),
        **message_pages(),
        "docs/schemas/snapshot-line.schema.json": json.dumps(snapshot_line(), indent=1) + "\n",
        "docs/schemas/verdict.schema.json": json.dumps(verdict(), indent=1) + "\n",
    }


def main() -> int:
    root = pathlib.Path(__file__).resolve().parents[1]
    for old in (*(root / "docs" / "checks").glob("*.md"), *(root / "docs" / "troubleshooting").glob("*.md")):
        old.unlink()
    for name, content in documents().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
