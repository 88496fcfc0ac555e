# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests beyond the recorded ones, and what kube-apiserver v1.32 answers: `requests/`, from its code and documentation.

A file is one server's life: its requests are made in order. Of an answer that is a refusal, reason, message and causes are compared.
"""

from __future__ import annotations

import functools
import json
import re
import tempfile
from pathlib import Path

import pytest
import yaml
from api_server import ApiServer

FILES = sorted((Path(__file__).parent / "requests").glob("*.yaml"))
CASES = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
PATCHES = {
    "apply": "application/apply-patch+yaml",
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@functools.cache
def answers(name):
    with tempfile.TemporaryDirectory() as folder, ApiServer(Path(folder), kubelet=False) as server:
        return [ask(server, case) for case in CASES[name]]


def ask(server, case):
    method, path = case["do"].split(" ", 1)
    headers = {**case.get("headers", {}), "Accept": case.get("accept", "application/json")}
    if "type" in case:
        headers["Content-Type"] = PATCHES.get(case["type"], case["type"])
    body = case.get("body")
    return server.request(method, path, body.encode() if isinstance(body, str) else body, **headers)


def expected(case):
    return {key: case.get(key) for key in ("status", "reason", "message", "causes", "warnings") if key in case}


def said(answer, case):
    """Of an answer what the case names, and what a refusal always has."""
    found = {"status": answer.status}
    if answer.status >= 400:
        body = json.loads(answer.text) if answer.text.startswith("{") else {"message": answer.text.strip()}
        found["message"] = re.sub(r"record \(\d+\)", "record (<revision>)", UID.sub("<uid>", body["message"]))
        causes = [f"{item['reason']} {item.get('field', '')}".strip() for item in (body.get("details") or {}).get("causes", ())]
        found |= {key: value for key, value in (("reason", body.get("reason")), ("causes", causes)) if value}
    elif "warnings" in case:
        found["warnings"] = [re.match(r'299 - "(.*)"$', item)[1].replace('\\"', '"') for item in answer.headers.get_all("Warning", [])]
    return found


@pytest.mark.parametrize(("name", "index"), [(name, index) for name, cases in CASES.items() for index in range(len(cases))])
def test_the_answer_is_kube_apiserver_s(name, index):
    case = CASES[name][index]
    assert said(answers(name)[index], case) == expected(case), case["do"]
