# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24.6 accepts, where the argument specifications of awx.awx say no more than "a dictionary". Each rule returns its errors.

Read in AWX's source and seen on its API; written anew, and only as far as the folder awx goes.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: The types of survey questions, and what a default of each is. There is no boolean.
DEFAULTS = {
    "text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str, "integer": int, "float": (int, float),
}  # fmt: skip
CHOICES = ("multiplechoice", "multiselect")
ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
#: Environment variables that a credential may not set.
FORBIDDEN = re.compile(r"^(ANSIBLE_.*|PATH|PYTHONPATH|JOB_ID|MAX_EVENT_RES|AWX_HOST|INVENTORY_ID|HOME)$")
#: What notifications are made of, as AWX has it for a job; the artifacts are the job's own.
CONTEXT = {
    "job": {"id": 13, "name": "podnet report", "status": "failed", "artifacts": {}},
    "url": "https://awx.example.net/#/jobs/playbook/13",
    "job_metadata": "{}",
}


def survey(spec: object) -> list[str]:
    """A survey's specification."""
    if not isinstance(spec, dict) or set(spec) != {"name", "description", "spec"} or not spec["spec"]:
        return ["a survey has name, description and a spec with a question"]
    errors = [f"{question.get('variable')}: {error}" for question in spec["spec"] for error in _question(question)]
    variables = [question.get("variable") for question in spec["spec"]]
    return errors + (["two questions for one variable"] if len(set(variables)) < len(variables) else [])


def _question(question: dict) -> list[str]:
    missing = [key for key in ("question_name", "variable", "type", "required") if key not in question]
    allowed = {"question_name", "question_description", "variable", "type", "required", "default", "min", "max", "choices", "new_question"}
    kind = question.get("type")
    if missing or set(question) - allowed or kind not in DEFAULTS or not isinstance(question["required"], bool):
        return [f"missing {missing}, unknown {sorted(set(question) - allowed)}, type {kind}"]
    errors = [f"{bound} is no whole number" for bound in ("min", "max") if not isinstance(question.get(bound, 0), int)]
    if (kind in CHOICES) != ("choices" in question):
        errors.append("choices belong to questions with choices")
    if "default" not in question:
        return errors
    default = question["default"]
    if not isinstance(default, DEFAULTS[kind]) or isinstance(default, bool):
        return [*errors, f"the default {default!r} is none of a {kind}"]
    if kind in CHOICES and set(default.split("\n") if kind == "multiselect" else [default]) - set(question["choices"]):
        errors.append(f"the default {default!r} is no choice")
    size = len(default) if isinstance(default, str) else default
    if kind not in CHOICES and not question.get("min", size) <= size <= question.get("max", size):
        errors.append(f"the default {default!r} is out of bounds")
    return errors


def rrule(text: str) -> list[str]:
    """A schedule's rule."""
    return [
        error
        for error, wrong in {
            "one DTSTART, in UTC or with a time zone": len(re.findall(r"DTSTART(?::\d{8}T\d{6}Z|;TZID=[\w/]+:\d{8}T\d{6})(?= )", text)) != 1,
            "one RRULE or more, after it": not re.search(r" RRULE:FREQ=", text),
            "an INTERVAL for each": text.count("RRULE") != text.count("INTERVAL="),
            "no SECONDLY": "SECONDLY" in text,
            "no RDATE, no EXDATE": bool(re.search("RDATE|EXDATE", text)),
            "not COUNT and UNTIL": "COUNT=" in text and "UNTIL=" in text,
        }.items()
        if wrong
    ]


def credential_type(kind: str, inputs: dict, injectors: dict) -> list[str]:
    """A custom credential type."""
    fields = {field["id"]: field for field in inputs["fields"]}
    errors = [] if kind in ("cloud", "net") else [f"a custom type is cloud or net, not {kind}"]
    errors += [f"{name} is required and no field" for name in inputs.get("required", []) if name not in fields]
    known = {"id", "label", "type", "secret", "multiline", "format", "choices", "default", "help_text"}
    errors += [f"{name}: unknown {sorted(set(field) - known)}" for name, field in fields.items() if set(field) - known]
    errors += [f"{name} is of type {field.get('type')}" for name, field in fields.items() if field.get("type", "string") not in ("string", "boolean")]
    errors += [f"{name} may not be set" for name in injectors.get("env", {}) if FORBIDDEN.match(name)]
    context = {**dict.fromkeys(fields, "x"), "tower": {"filename": "/runner/env/tmp"}}
    for sort in ("file", "env", "extra_vars"):
        for name, template in injectors.get(sort, {}).items():
            try:
                ENVIRONMENT.from_string(template).render(**context)
            except TemplateError as error:
                errors.append(f"{sort}.{name}: {error}")
    return errors + [f"unknown {sort}" for sort in set(injectors) - {"file", "env", "extra_vars"}]


REQUIRED = {
    "webhook": {"url", "headers", "http_method", "disable_ssl_verification", "username", "password"},
    "email": {"host", "port", "username", "password", "use_tls", "use_ssl", "sender", "recipients", "timeout"},
}


def notification(kind: str, configuration: dict, messages: dict) -> list[str]:
    """A notification: its configuration, and messages that can be made of a job without artifacts."""
    errors = [] if set(configuration) == REQUIRED[kind] else [f"keys {sorted(set(configuration) ^ REQUIRED[kind])}"]
    errors += [f"unknown event {event}" for event in set(messages) - {"started", "success", "error", "workflow_approval"}]
    for event, message in messages.items():
        try:
            texts = {part: ENVIRONMENT.from_string(text).render(**CONTEXT) for part, text in message.items()}
            if kind == "webhook" and not isinstance(json.loads(texts["body"]), dict):
                errors.append(f"{event}: the body is no object")
        except (TemplateError, ValueError, TypeError) as error:
            errors.append(f"{event}: {error}")
        if "\n" in message.get("message", ""):
            errors.append(f"{event}: a message is one line")
    return errors


_PLAY = re.compile(r"^\s*(-\s+)?(hosts|(ansible\.builtin\.)?(import_playbook|include)):\s*?.*?$", re.MULTILINE)
_PASSED_OVER = {"roles", "tasks", "group_vars", "host_vars"}


def playbooks(checkout: Path) -> list[str]:
    """The files that AWX offers as playbooks, by their path in the checkout. Links are not followed."""
    found = []
    for where, folders, files in os.walk(checkout):
        folder = Path(where)
        folders[:] = [name for name in folders if name not in _PASSED_OVER and not name.startswith(".")]
        for name in files:
            if name.endswith((".yml", ".yaml")) and _PLAY.search((folder / name).read_text(errors="ignore")):
                found.append(str((folder / name).relative_to(checkout)))
    return sorted(found)


class Loader(yaml.SafeLoader):
    """YAML as Ansible has it: !unsafe is a text that nothing is filled into."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
