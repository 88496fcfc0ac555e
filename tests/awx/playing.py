# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and workflows as AWX runs them, as far as a job template sees it: the checkout, the environment, variables, credentials, slices.

What AWX does with a container, its database and its queue is not here.
"""

from __future__ import annotations

import configparser
import itertools
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner
import rules
import yaml
from conftest import BIN, CHECKOUT

SUCCESSFUL, FAILED = "successful", "failed"
#: What AWX searches after a project's own paths.
EVERYWHERE = ["~/.ansible/collections", "/usr/share/ansible/collections"]


class Unsafe(str):
    """A text that AWX marks !unsafe in the file of variables: it is never a template."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def unsafe(value: Any) -> Any:
    """``value`` with each text, names too, as AWX writes what is no text of the template itself."""
    if isinstance(value, dict):
        return {unsafe(name): unsafe(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unsafe(item) for item in value]
    return Unsafe(value) if isinstance(value, str) else value


def clone(folder: Path) -> Path:
    """What a git project is once AWX has copied it for a job: the tracked files, links as links, without .git."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, text=True)
    for name in filter(None, listed.split("\0")):
        if os.path.lexists(CHECKOUT / name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name, follow_symlinks=False)
    return folder


def collection_paths(project: Path, private: Path) -> str:
    """ANSIBLE_COLLECTIONS_PATH of a job: what requirements brought (nothing), what the project's ansible.cfg names, the rest."""
    settings = configparser.ConfigParser()
    settings.read(project / "ansible.cfg")
    own = settings.get("defaults", "collections_path", fallback="").split(":")
    return ":".join([str(private / "requirements_collections"), *own, *(path for path in EVERYWHERE if path not in own)])


def answers(survey: dict | None, given: dict) -> dict:
    """What a launch makes of answers: those that were given, and the defaults that AWX puts in for the others."""
    found = dict(given)
    for question in (survey or {"spec": []})["spec"]:
        name, default = question["variable"], question.get("default")
        if name in given or default is None or question["type"] == "multiselect" or (default == "" and question["type"] != "text"):
            continue  # the text of a multiselect's default is no list, and is left out
        found[name] = default
    assert set(given) <= {question["variable"] for question in (survey or {"spec": []})["spec"]}, "AWX ignores what no survey asks for"
    return found


@dataclass
class Job:
    """One ended job."""

    template: str
    rc: int
    artifacts: dict = field(default_factory=dict)
    stdout: str = ""

    @property
    def status(self) -> str:
        return SUCCESSFUL if self.rc == 0 else FAILED


class Awx:
    """What was loaded into it, and a folder for its jobs."""

    def __init__(self, folder: Path, calls: dict[str, list[dict]], kubeconfig: str, context: str = "") -> None:
        self.folder, self.calls = folder, calls
        self.inputs = {"kubeconfig": kubeconfig, "context": context}
        self.project = clone(folder / "project")
        self.numbers = itertools.count(1)

    def template(self, name: str) -> dict:
        (found,) = [call for kind in ("job_template", "workflow_job_template") for call in self.calls[kind] if call["name"] == name]
        return found

    def slices(self, template: dict) -> list[list[str]]:
        """The hosts of each slice: round robin, in the order of their names."""
        hosts = sorted(call["name"] for call in self.calls["host"] if call["inventory"] == template["inventory"])
        number = min(template.get("job_slice_count", 1), len(hosts))
        return [hosts[start::number] for start in range(number)] if number > 1 else [hosts]

    def inventory(self, name: str, hosts: list[str]) -> dict:
        (inventory,) = [call for call in self.calls["inventory"] if call["name"] == name]
        variables = {call["name"]: call.get("variables", {}) for call in self.calls["host"] if call["inventory"] == name}
        groups = {call["name"]: call["hosts"] for call in self.calls["group"] if call["inventory"] == name}
        children = {group: {"hosts": dict.fromkeys(each for each in members if each in hosts)} for group, members in groups.items()}
        return {"all": {"vars": inventory.get("variables", {}), "hosts": {host: variables[host] for host in hosts}, "children": children}}

    def job(self, name: str, given: dict | None = None, artifacts: dict | None = None, hosts: list[str] | None = None, **more: Any) -> Job:
        """One job of a template, or of one slice of it. ``more``: limit, workflow (its id), project, look (at its folder)."""
        template = self.template(name)
        number = next(self.numbers)
        private = self.folder / f"awx_{number}"
        project = private / "project"
        # Hard links: a copy's content without its time. A job writes nothing there, which is asserted.
        shutil.copytree(more.get("project", self.project), project, symlinks=True, copy_function=os.link)
        for part in ("env", "inventory", "home"):
            (private / part).mkdir()
        chosen = self.slices(template)[0] if hosts is None else hosts
        (private / "inventory" / "hosts.yml").write_text(yaml.safe_dump(self.inventory(template["inventory"], chosen)))
        meta = {"job_id": number, "job_launch_type": "workflow", "workflow_job_id": more.get("workflow"), "job_template_name": name}
        variables = {
            **template.get("extra_vars", {}),
            **unsafe(answers(template.get("survey_spec"), given or {})),
            **unsafe(artifacts or {}),
            **unsafe({f"{maker}_{key}": value for maker in ("awx", "tower") for key, value in meta.items() if value is not None}),
        }
        (private / "env" / "extravars").write_text(yaml.dump(variables, Dumper=_Dumper, allow_unicode=True))
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": collection_paths(project, private),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "AWX_PRIVATE_DATA_DIR": str(private),
            "HOME": str(private / "home"),
            "JOB_ID": str(number),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            **(self.credential(private) if template.get("credentials") == ["podnet cluster"] else {}),
        }
        limit = {"limit": more["limit"]} if "limit" in more else {}
        ran = ansible_runner.run(
            private_data_dir=str(private), playbook=template["playbook"], inventory=str(private / "inventory" / "hosts.yml"),
            ident=str(number), envvars=environment, cmdline="-u root", quiet=True, **limit,
        )  # fmt: skip
        published = {}
        for event in ran.events:
            if event["event"] == "playbook_on_stats":
                published = event["event_data"].get("artifact_data") or {}
        job = Job(name, ran.rc, published, ran.stdout.read())
        if more.get("look"):
            more["look"](private)
        shutil.rmtree(private)  # as AWX does: what a job wrote there is gone
        return job

    def credential(self, private: Path) -> dict[str, str]:
        """The environment that the custom credential type makes, and its file."""
        (made,) = self.calls["credential_type"]
        path = private / "env" / "tmp_credential"
        path.touch(mode=0o600)
        context = {**self.inputs, "tower": {"filename": str(path)}}
        path.write_text(rules.ENVIRONMENT.from_string(made["injectors"]["file"]["template"]).render(**context))
        return {name: rules.ENVIRONMENT.from_string(text).render(**context) for name, text in made["injectors"]["env"].items()}

    def node(self, name: str, given: dict, artifacts: dict, workflow: int, **more: Any) -> Job:
        """A node of a workflow: one job, or one for each slice, whose artifacts are merged as they end."""
        slices = self.slices(self.template(name))
        if len(slices) == 1:
            return self.job(name, given, artifacts, workflow=workflow, **more)
        # The slices have a workflow of their own, and so its id.
        with ThreadPoolExecutor(len(slices)) as pool:
            jobs = list(pool.map(lambda hosts: self.job(name, given, artifacts, hosts=hosts, workflow=workflow + 1, **more), slices))
        merged = {key: value for job in jobs for key, value in job.artifacts.items()}
        return Job(name, max(job.rc for job in jobs), merged, "".join(job.stdout for job in jobs))

    def workflow(self, name: str, given: dict[str, dict] | None = None, **more: dict) -> tuple[str, dict[str, Job]]:
        """How a workflow ended, and its jobs by node. ``given``: answers by node; ``more``: what else to give a node's job."""
        nodes = {node["identifier"]: node for node in self.template(name)["workflow_nodes"]}
        parents: dict[str, dict[str, str]] = {identifier: {} for identifier in nodes}
        for identifier, node in nodes.items():
            for kind, links in node.get("related", {}).items():
                for link in links:
                    parents[link["identifier"]][identifier] = kind
        done: dict[str, Job | None] = {}
        handed: dict[str, dict] = {}
        while len(done) < len(nodes):
            ready = next(each for each in nodes if each not in done and set(parents[each]) <= set(done))
            led = [one for one, kind in parents[ready].items() if done[one] and kind in ("always_nodes", _KIND[done[one].status])]
            if parents[ready] and not led:
                done[ready] = None
                continue
            artifacts = {key: value for one in led for key, value in {**handed[one], **done[one].artifacts}.items()}
            handed[ready] = artifacts
            template = nodes[ready]["unified_job_template"]["name"]
            done[ready] = self.node(template, (given or {}).get(ready, {}), artifacts, 1000 + next(self.numbers), **more.get(ready, {}))
        handled = {one for children in parents.values() for one, kind in children.items() if kind in ("always_nodes", "failure_nodes")}
        lost = [one for one, job in done.items() if job and job.status == FAILED and one not in handled]
        return (FAILED if lost else SUCCESSFUL), {one: job for one, job in done.items() if job}


_KIND = {SUCCESSFUL: "success_nodes", FAILED: "failure_nodes"}


@contextmanager
def clean_environment():
    """Without the variables of whoever runs the tests: ansible-runner hands on its own environment."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("ANSIBLE_", "K8S_AUTH_", "PODNET_", "XDG_")) or name == "KUBECONFIG":
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
