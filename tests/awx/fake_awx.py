# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A double of AWX's API on loopback: it keeps what the modules of awx.awx send, and refuses what AWX 24.6 was seen to refuse.

It has the kinds that playbooks/awx_setup.yml loads, and of each what the modules look at: lists by name, ids, associations, surveys, first
syncs, encrypted inputs. No permissions, no paging, no job, and no rule that the folder awx cannot come near.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import rules

TOKEN = "l0ader-t0ken"
ENCRYPTED = "$encrypted$"


class Refused(Exception):
    """A 400, with what it says."""


@dataclass(frozen=True)
class Kind:
    """One collection of the API: fields with their defaults, fields that hold ids, lists of associated objects, and what makes one unique."""

    type: str
    fields: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    unique: tuple[str, ...] = ("name",)
    needs: tuple[str, ...] = ()


NOTIFICATIONS = {f"notification_templates_{event}": "notification_templates" for event in ("started", "success", "error")}
ORGANIZATION = {"organization": "organizations"}
KINDS = {
    "organizations": Kind(
        "organization", {"max_hosts": 0}, {"default_environment": "execution_environments"},
        {"galaxy_credentials": "credentials", **NOTIFICATIONS},
    ),
    "execution_environments": Kind("execution_environment", {"image": "", "pull": ""}, {**ORGANIZATION, "credential": "credentials"}, needs=("image",)),
    "credential_types": Kind("credential_type", {"kind": "", "inputs": {}, "injectors": {}, "managed": False}),
    "credentials": Kind("credential", {"inputs": {}}, {**ORGANIZATION, "credential_type": "credential_types"}, unique=("name", "organization", "credential_type")),
    "inventories": Kind("inventory", {"kind": "", "host_filter": None, "variables": ""}, ORGANIZATION, unique=("name", "organization"), needs=("organization",)),
    "hosts": Kind("host", {"variables": "", "enabled": True}, {"inventory": "inventories"}, unique=("name", "inventory"), needs=("inventory",)),
    "groups": Kind("group", {"variables": ""}, {"inventory": "inventories"}, {"hosts": "hosts", "children": "groups"}, ("name", "inventory"), ("inventory",)),
    "notification_templates": Kind("notification_template", {"notification_type": "", "notification_configuration": {}, "messages": None}, ORGANIZATION, needs=("organization",)),
    "projects": Kind(
        "project", {"scm_type": "", "scm_url": "", "scm_branch": "", "scm_revision": "", "allow_override": False},
        {**ORGANIZATION, "credential": "credentials", "default_environment": "execution_environments"}, NOTIFICATIONS, ("name", "organization"),
    ),
    "job_templates": Kind(
        "job_template",
        {"playbook": "", "extra_vars": "", "timeout": 0, "job_slice_count": 1, "survey_enabled": False, "ask_limit_on_launch": False},
        {**ORGANIZATION, "project": "projects", "inventory": "inventories", "execution_environment": "execution_environments"},
        {"credentials": "credentials", **NOTIFICATIONS}, needs=("project", "playbook"),
    ),
    "workflow_job_templates": Kind("workflow_job_template", {"extra_vars": "", "survey_enabled": False}, ORGANIZATION, NOTIFICATIONS),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node", {"identifier": "", "extra_data": {}},
        {"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates"},
        dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes"),
        ("identifier", "workflow_job_template"), ("workflow_job_template", "unified_job_template"),
    ),
    "schedules": Kind("schedule", {"rrule": "", "enabled": True, "extra_data": {}}, {"unified_job_template": "unified_job_templates"}, needs=("unified_job_template", "rrule")),
}  # fmt: skip
UNIFIED = ("projects", "job_templates", "workflow_job_templates")


class Store:
    """What the double keeps: objects by collection and id, what is associated with them, and what was asked of it."""

    def __init__(self, playbooks: list[str]) -> None:
        self.playbooks = playbooks
        self.objects: dict[str, dict[int, dict]] = {name: {} for name in KINDS}
        self.associated: dict[tuple[int, str], list[int]] = {}
        self.surveys: dict[int, dict] = {}
        self.secrets: dict[int, dict] = {}
        self.syncs: dict[int, list] = {}
        self.requests: list[tuple[str, str]] = []
        self.last = 0
        self.lock = threading.Lock()

    def next(self) -> int:
        self.last += 1
        return self.last

    def seed(self, collection: str, **fields: Any) -> int:
        """An object that was there before."""
        number = self.next()
        self.objects[collection][number] = {"name": "", **fields}
        return number

    def find(self, collection: str) -> dict[int, dict]:
        if collection == "unified_job_templates":
            return {number: one for name in UNIFIED for number, one in self.objects[name].items()}
        return self.objects[collection]

    def shown(self, collection: str, number: int) -> dict:
        """An object as the API shows it."""
        if collection == "unified_job_templates":
            collection = next(name for name in UNIFIED if number in self.objects[name])
        kind, url = KINDS[collection], f"/api/v2/{collection}/{number}/"
        related = {name: f"{url}{name}/" for name in (*kind.lists, "survey_spec", "update")}
        running = [sync for sync, (project, polls) in self.syncs.items() if project == number and polls > 0]
        summary = {"current_update": {"id": running[0]}} if running else {}
        return {"id": number, "type": kind.type, "url": url, "related": related, "summary_fields": summary, **self.objects[collection][number]}

    def listed(self, collection: str, query: dict[str, str]) -> list[dict]:
        """The objects whose fields are as the query has them; a parameter that no kind has is an error, as it is in AWX."""
        shown = [self.shown(collection, number) for number in self.find(collection)]
        for name in query:
            if shown and not any(name in one for one in shown):
                raise Refused(f"{collection} has no field named '{name}'")
        return [one for one in shown if all(str(one.get(name)) == value for name, value in query.items())]

    def write(self, collection: str, given: dict, number: int | None = None) -> int:
        """Makes or changes an object; what was stored before stays where the new one is refused."""
        kind = KINDS[collection]
        known = {"name", "description", *kind.fields, *kind.references}
        if set(given) - known:
            raise Refused(f"{collection}: unknown fields {sorted(set(given) - known)}")
        before = {**{"description": ""}, **kind.fields, **dict.fromkeys(kind.references)} if number is None else self.objects[collection][number]
        after = {**before, **{name: "" if value is None and isinstance(kind.fields.get(name), str) else value for name, value in given.items()}}
        for name, wanted in kind.references.items():
            if after[name] is not None and after[name] not in self.find(wanted):
                raise Refused(f"{name}: no object {after[name]}")
        for name in (*kind.needs, *(["name"] if "name" in kind.unique else [])):
            if not after.get(name):
                raise Refused(f"{name}: this field is required")
        same = [one for one, other in self.objects[collection].items() if all(other.get(name) == after.get(name) for name in kind.unique)]
        if same not in ([], [number]):
            raise Refused(f"{collection} with this {', '.join(kind.unique)} already exists")
        number = number or self.next()
        check = getattr(self, f"_check_{kind.type}", None)
        if check:
            check(number, after)
        self.objects[collection][number] = after
        return number

    def _check_credential_type(self, _number: int, after: dict) -> None:
        self._refuse(rules.credential_type(after["kind"], after["inputs"], after["injectors"]))

    def _check_credential(self, number: int, after: dict) -> None:
        fields = self.objects["credential_types"][after["credential_type"]].get("inputs", {}).get("fields", [])
        secret = {one["id"] for one in fields if one.get("secret")}
        unknown = set(after["inputs"]) - {one["id"] for one in fields}
        self._refuse([f"unknown input {name}" for name in unknown])
        kept = self.secrets.setdefault(number, {})
        kept |= {name: value for name, value in after["inputs"].items() if name in secret and value != ENCRYPTED}
        after["inputs"] = {name: ENCRYPTED if name in secret else value for name, value in after["inputs"].items()}

    def _check_notification_template(self, _number: int, after: dict) -> None:
        self._refuse(rules.notification(after["notification_type"], after["notification_configuration"], after["messages"] or {}))

    def _check_project(self, number: int, _after: dict) -> None:
        if number not in self.objects["projects"]:
            self.syncs[self.next()] = [number, 2]

    def _check_job_template(self, _number: int, after: dict) -> None:
        project = self.objects["projects"][after["project"]]
        after["organization"] = project["organization"]
        if not project["scm_revision"] or after["playbook"] not in self.playbooks:
            raise Refused("playbook: Playbook not found for project.")
        if not after["inventory"]:
            raise Refused("inventory: Job Template must provide 'inventory' or allow prompting for it.")

    def _check_schedule(self, _number: int, after: dict) -> None:
        self._refuse(rules.rrule(after["rrule"]))

    @staticmethod
    def _refuse(errors: list[str]) -> None:
        if errors:
            raise Refused("; ".join(errors))

    def associate(self, collection: str, number: int, name: str, given: dict) -> None:
        """Adds an object to a list of another, or takes it away."""
        there, one = self.associated.setdefault((number, name), []), given["id"]
        if given.get("disassociate"):
            there.remove(one)
            return
        if one not in self.find(KINDS[collection].lists[name]):
            raise Refused(f"{name}: no object {one}")
        if name == "credentials":
            types = [self.objects["credentials"][each]["credential_type"] for each in (*there, one)]
            self._refuse(["Cannot assign multiple credentials of one type."] if len(set(types)) < len(types) else [])
        if name.endswith("_nodes"):
            links = [each for kind in KINDS[collection].lists for each in self.associated.get((number, kind), [])]
            self._refuse(["Relationship not allowed."] if one in links or one == number else [])
        there.append(one)

    def poll(self, sync: int) -> dict:
        """A project's update, which ends when it is asked for the second time; then its playbooks are known."""
        state = self.syncs[sync]
        state[1] -= 1
        if state[1] <= 0:
            self.objects["projects"][state[0]]["scm_revision"] = "0" * 40
        done = state[1] <= 0
        return {
            "id": sync, "status": "successful" if done else "running", "finished": "2026-01-01T00:00:00Z" if done else None,
            "event_processing_finished": done, "failed": False, "scm_revision": "0" * 40,
        }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    store: Store

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}") if length else {}
        url = urlsplit(self.path)
        with self.store.lock:
            self.store.requests.append((self.command, url.path))
            try:
                code, answer = self._answer([part for part in url.path.split("/") if part][2:], dict(parse_qsl(url.query)), body)
            except Refused as refused:
                code, answer = 400, {"detail": str(refused), "__all__": [str(refused)], "error": str(refused)}
        data = json.dumps(answer).encode() if answer is not None else b""
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), "X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"}.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = _do

    def _answer(self, path: list[str], query: dict[str, str], body: dict) -> tuple[int, Any]:
        store = self.store
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"detail": "Authentication credentials were not provided."}
        if path[0] == "me":
            return 200, _page([{"id": 1, "username": "loader"}])
        if path[0] == "project_updates":
            return 200, store.poll(int(path[1]))
        collection, number = path[0], int(path[1]) if len(path) > 1 else None
        if number is None:
            if self.command == "GET":
                return 200, _page(store.listed(collection, query))
            return 201, store.shown(collection, store.write(collection, body))
        if number not in store.find(collection):
            return 404, {"detail": "Not found."}
        if len(path) == 2:
            if self.command == "PATCH":
                store.write(collection, body, number)
            return 200, store.shown(collection, number)
        return self._part(collection, number, path[2], body)

    def _part(self, collection: str, number: int, name: str, body: dict) -> tuple[int, Any]:
        store = self.store
        if name == "survey_spec":
            if self.command == "POST":
                store._refuse(rules.survey(body))
                store.surveys[number] = body
            return 200, store.surveys.get(number, {})
        if name == "update":
            sync = store.next()
            store.syncs[sync] = [number, 1]
            return 202, {"id": sync, "url": f"/api/v2/project_updates/{sync}/"}
        if self.command == "GET":
            wanted = KINDS[collection].lists[name]
            return 200, _page([store.shown(wanted, one) for one in store.associated.get((number, name), [])])
        store.associate(collection, number, name, body)
        return 204, None

    def log_message(self, *_arguments: Any) -> None:
        pass


def _page(results: list[dict]) -> dict:
    return {"count": len(results), "next": None, "previous": None, "results": results}


@contextmanager
def serving(store: Store):
    """The URL of the double, while it serves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
