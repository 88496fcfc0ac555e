# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is downloaded is what it must be, or nothing of it is left: against a site on loopback that serves well and badly."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "doubles"))

import mirror as site  # noqa: E402
import publishers  # noqa: E402

#: Each tool for itself, so that one run shows what several faults lead to.
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    said: {}
  tasks:
    - ansible.builtin.include_role:
        name: podnet.calico.lab
        tasks_from: versions
"""
ONE_TOOL = """
    - block:
        - ansible.builtin.include_role:
            name: podnet.calico.lab
            tasks_from: obtain
          vars:
            lab_artefacts: "{{ __lab_versions.artefacts | selectattr('tool', 'eq', 'TOOL') }}"
      rescue:
        - ansible.builtin.set_fact:
            said: "{{ said | combine({'TOOL': ansible_failed_result.msg}) }}"
"""
LAST = """
    - ansible.builtin.copy:
        dest: "{{ said_to }}"
        content: "{{ said | to_json }}"
        mode: "0600"
      changed_when: false
      check_mode: false
"""
#: Longer than any one run may take; it ends a hung one.
PATIENCE = 180


@dataclass
class Run:
    """How a run ended: what it said of each tool that it could not obtain, what it changed, all its output."""

    said: dict
    changed: int
    output: str


class Host:
    """A host that obtains files into a tools folder of its own."""

    def __init__(self, folder: Path, mirror: site.Mirror) -> None:
        self.folder, self.mirror = folder, mirror
        self.tools, self.kept = folder / "tools", folder / "kept"

    def obtain(self, *tools: str, wrapper: tuple = (), check: bool = False, **variables) -> Run:
        """Obtain the files of these tools, each whatever became of the others."""
        play, said_to = self.folder / "play.yml", self.folder / "said.json"
        play.write_text(PLAY + "".join(ONE_TOOL.replace("TOOL", tool) for tool in tools) + LAST, encoding="utf-8")
        given = {
            **self.mirror.variables,
            "said_to": str(said_to),
            "podnet_topology": "containerlab",
            "podnet_tools_dir": str(self.tools),
            "podnet_artefacts_dir": "",
            "podnet_download_delay": 0,
            "podnet_become": False,
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        program = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(play)]
        argv = [*wrapper, *program, "-e", json.dumps(given), *(["--check"] if check else [])]
        ended = subprocess.run(argv, cwd=ROOT, env=os.environ, text=True, capture_output=True, timeout=PATIENCE, check=False)
        output = " ".join((ended.stdout + ended.stderr).split())
        assert ended.returncode == 0, output
        return Run(json.loads(said_to.read_text(encoding="utf-8")), int(re.search(r"changed=(\d+)", output)[1]), output)

    def files(self) -> list:
        """Everything that is installed, temporary files too."""
        return sorted(str(path.relative_to(self.tools)) for path in self.tools.rglob("*") if path.is_file())

    def installed(self, tool: str) -> Path:
        """Where ``tool`` goes."""
        versions = self.mirror.published.versions
        version = {"kind": versions.kind, "containerlab": versions.containerlab, "kubectl": versions.kubernetes}.get(tool, versions.calico)
        return self.tools / tool / version / tool


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Small: a file stands in for kubectl, whose sixty megabytes prove nothing here."""
    folder = tmp_path_factory.mktemp("published")
    kubectl = folder / "kubectl"
    kubectl.write_bytes(b"not the real one\n" * 100)
    return publishers.publish(folder / "site", kubectl=kubectl, state=folder / "state")


@pytest.fixture(scope="module")
def mirror(published):
    with site.Mirror(published) as mirror:
        yield mirror


@pytest.fixture
def host(tmp_path, mirror):
    mirror.heal()
    return Host(tmp_path, mirror)


FILES = {
    "kind": f"kind-linux-{publishers.ARCHITECTURE}",
    "kubectl": f"linux/{publishers.ARCHITECTURE}/kubectl",
    "calicoctl": f"calicoctl-linux-{publishers.ARCHITECTURE}",
}


def path(mirror: site.Mirror, tool: str) -> str:
    """The path of a tool's file on its publisher's site."""
    return mirror.published.path(tool, FILES[tool])


def body(mirror: site.Mirror, tool: str) -> bytes:
    return (mirror.published.folder / path(mirror, tool).lstrip("/")).read_bytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def badly(tmp_path_factory, mirror):
    """(host, run, requests) where each tool's publisher fails in a way of its own."""
    mirror.heal()
    mirror.fault(path(mirror, "kind"), site.altered())
    mirror.fault(path(mirror, "kubectl"), site.truncated())
    mirror.fault(path(mirror, "calicoctl"), site.missing())
    sums = mirror.published.path("containerlab_checksums", "")
    mirror.fault(sums, lambda _body, _before, _path: site.Answer(body=b"<html>moved</html>\n"))
    host = Host(tmp_path_factory.mktemp("badly"), mirror)
    run = host.obtain("kind", "kubectl", "calicoctl", "containerlab")
    return host, run, list(mirror.requests)


def test_what_is_served_badly_leaves_nothing_not_even_in_part(badly):
    host, run, _requests = badly
    assert sorted(run.said) == ["calicoctl", "containerlab", "kind", "kubectl"]
    assert host.files() == []
    assert [one for one in run.said.values() if "Nothing was installed, and nothing partial is left." not in one] == []


def test_a_wrong_checksum_names_the_file_what_was_expected_and_what_came(badly, mirror):
    _host, run, requests = badly
    right = body(mirror, "kind")
    expected, got = sha256(right), sha256(site.altered()(right, 0, "").body)
    source = mirror.url + path(mirror, "kind")
    assert f"the file {FILES['kind']} from {source}: expected sha256 {expected}, got {got}. Nothing" in run.said["kind"]
    assert requests.count(path(mirror, "kind")) == 1


def test_a_truncated_file_is_told_from_a_wrong_one(badly):
    _host, run, _requests = badly
    assert re.search(r"Obtaining kubectl v[\d.]+, the file kubectl from \S+: Incomplete read", run.said["kubectl"])


def test_a_404_is_not_asked_for_again_and_says_what_to_do(badly, mirror):
    _host, run, requests = badly
    assert "the server answered 404" in run.said["calicoctl"]
    assert (
        "Another source is given by podnet_download_urls.calicoctl, or by the file <podnet_artefacts_dir>/calicoctl/"
        in run.said["calicoctl"]
    )
    assert requests.count(path(mirror, "calicoctl")) == 1


def test_a_publisher_who_does_not_name_the_file_is_not_trusted(badly):
    _host, run, requests = badly
    said = run.said["containerlab"]
    assert re.search(r"no checksum of it is known\. The set of versions has none, and \S+/checksums\.txt does not name it", said)
    assert [one for one in requests if one.endswith(".tar.gz")] == []


@pytest.fixture(scope="module")
def well(tmp_path_factory, mirror):
    """(host, run, requests) where everything is had: kind after two answers 500, kubectl by a redirect."""
    mirror.heal()
    mirror.fault(path(mirror, "kind"), site.failing(2))
    mirror.fault(path(mirror, "kind") + ".sha256sum", site.failing(1))
    mirror.fault(path(mirror, "kubectl"), site.moved())
    host = Host(tmp_path_factory.mktemp("well"), mirror)
    return host, host.obtain(*EVERYTHING), list(mirror.requests)


EVERYTHING = ("containerlab", "kind", "kubectl", "calicoctl", "calico_manifests")


def test_every_file_is_installed_with_a_record_of_where_it_came_from(well, mirror):
    host, run, _requests = well
    assert run.said == {}
    programs = [host.installed(tool) for tool in EVERYTHING[:4]]
    manifests = [host.installed("calico_manifests").with_name(name) for name in ("operator-crds.yaml", "tigera-operator.yaml")]
    records = [one.with_name(one.name + ".obtained.json") for one in programs + manifests]
    assert host.files() == sorted(str(one.relative_to(host.tools)) for one in programs + manifests + records)
    assert [one for one in programs if not os.access(one, os.X_OK)] == []
    assert [json.loads(one.read_text())["trust"] for one in records] == ["publisher"] * 4 + ["pinned"] * 2


def test_a_500_is_asked_for_again(well, mirror):
    _host, _run, requests = well
    kind = path(mirror, "kind")
    assert (requests.count(kind), requests.count(kind + ".sha256sum")) == (3, 2)


def test_a_redirect_is_followed(well, mirror):
    host, _run, requests = well
    assert "/moved" + path(mirror, "kubectl") in requests
    assert sha256(host.installed("kubectl").read_bytes()) == sha256(body(mirror, "kubectl"))


def test_a_second_run_asks_nobody_and_changes_nothing(well, mirror):
    host, _run, _requests = well
    mirror.heal()
    run = host.obtain(*EVERYTHING)
    assert (run.said, run.changed, mirror.requests) == ({}, 0, [])


def test_check_mode_says_what_it_would_obtain_and_asks_nobody(host, mirror):
    run = host.obtain("kind", check=True)
    assert f"Would obtain kind {mirror.published.versions.kind} into {host.tools}" in run.output
    assert (run.said, run.changed, host.files(), mirror.requests) == ({}, 1, [], [])


def test_an_installed_file_is_obtained_anew_where_it_was_changed_and_kept_where_the_new_one_is_wrong(host, mirror):
    """kubectl was edited by hand. kind is pinned anew to something that its publisher does not have."""
    host.obtain("kind", "kubectl")
    host.installed("kubectl").write_bytes(b"something else")
    sets = mirror.variables["podnet_version_sets"]
    sets["doubles"]["kind"]["files"] = {FILES["kind"]: {"sha256": "0" * 64}}
    run = host.obtain("kind", "kubectl", podnet_version_sets=sets)
    assert sha256(host.installed("kubectl").read_bytes()) == sha256(body(mirror, "kubectl"))
    assert "expected sha256 " + "0" * 64 in run.said["kind"]
    assert sha256(host.installed("kind").read_bytes()) == sha256(body(mirror, "kind"))


def test_a_full_disk_leaves_nothing(host):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("a file system that is full needs root, to mount it")
    host.tools.mkdir()
    listing = host.folder / "listing"
    # The mount is seen inside only, so what is left there is listed there.
    inside = f'mount -t tmpfs -o size=16k tmpfs "{host.tools}" && "$@"; code=$?; find "{host.tools}" -type f >"{listing}"; exit $code'
    run = host.obtain("kind", wrapper=("unshare", "--mount", "sh", "-c", inside, "sh"))
    assert re.search(r"Obtaining kind .* No space left on device.*Nothing was installed, and nothing partial is left", run.said["kind"])
    assert listing.read_text() == ""


def test_a_local_file_wins_over_its_url_and_must_be_what_the_folder_says(host, mirror):
    """kind is in the folder as it should be; kubectl is there, and is something else."""
    versions, lines = mirror.published.versions, []
    for tool, version, checksum in (("kind", versions.kind, sha256(b"local")), ("kubectl", versions.kubernetes, "1" * 64)):
        file = host.kept / tool / version / FILES[tool]
        file.parent.mkdir(parents=True)
        file.write_bytes(b"local")
        lines.append(f"{checksum}  {file.relative_to(host.kept)}\n")
    (host.kept / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    run = host.obtain("kind", "kubectl", podnet_artefacts_dir=str(host.kept))
    assert mirror.requests == []
    assert host.installed("kind").read_bytes() == b"local"
    assert list(run.said) == ["kubectl"]
    assert f"expected sha256 {'1' * 64}, got {sha256(b'local')}" in run.said["kubectl"]
    assert not host.installed("kubectl").exists()


@pytest.fixture
def both_architectures(tmp_path, published):
    """A site whose checksum files name the other architecture's files too; those files themselves are nowhere."""
    here, other = publishers.ARCHITECTURE, {"amd64": "arm64", "arm64": "amd64"}[publishers.ARCHITECTURE]
    copied = replace(published, folder=shutil.copytree(published.folder, tmp_path / "site"))

    def place(requested: str) -> Path:
        file = copied.folder / requested.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    package = f"containerlab_{copied.versions.containerlab}_linux_{other}.tar.gz"
    for tool, line in (("containerlab_checksums", package), ("calicoctl_checksums", f"calicoctl-linux-{other}")):
        sums = place(copied.path(tool, ""))
        sums.write_text(f"{sums.read_text()}{'2' * 64}  {line}\n", encoding="ascii")
    for tool, ending in (("kind", ".sha256sum"), ("kubectl", ".sha256")):
        place(copied.path(tool, FILES[tool].replace(here, other)) + ending).write_text("2" * 64 + "\n", encoding="ascii")
    with site.Mirror(copied) as mirror:
        yield mirror


def test_what_was_pinned_once_is_refused_when_its_publisher_serves_another_file_and_its_checksum(tmp_path, both_architectures):
    mirror, host, pinned = both_architectures, Host(tmp_path, both_architectures), tmp_path / "versions.yml"
    given = {**mirror.variables, "podnet_pin_file": str(pinned), "podnet_download_delay": 0}
    program = str(Path(sys.executable).parent / "ansible-playbook")
    argv = [program, "-i", "localhost,", "playbooks/pin.yml", "-e", json.dumps(given)]
    ended = subprocess.run(argv, cwd=ROOT, text=True, capture_output=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0, ended.stdout
    found = yaml.safe_load(pinned.read_text(encoding="utf-8"))["podnet_version_sets"]["doubles"]
    assert found["kubectl"]["files"][FILES["kubectl"]]["sha256"] == sha256(body(mirror, "kubectl"))
    assert found["calico"]["calicoctl"]["files"][FILES["calicoctl"]]["sha256"] == sha256(body(mirror, "calicoctl"))
    assert [len(found[tool]["files"]) for tool in ("containerlab", "kind", "kubectl")] == [2, 2, 2]

    sets = mirror.variables["podnet_version_sets"]
    sets["doubles"]["kind"]["files"] = found["kind"]["files"]
    kind = body(mirror, "kind")
    mirror.fault(path(mirror, "kind"), site.altered())
    other = sha256(site.altered()(kind, 0, "").body)
    mirror.fault(path(mirror, "kind") + ".sha256sum", lambda *_: site.Answer(body=f"{other}  {FILES['kind']}\n".encode()))
    assert f"expected sha256 {sha256(kind)}, got {other}" in host.obtain("kind", podnet_version_sets=sets).said["kind"]
    mirror.heal()
    assert host.obtain("kind", podnet_version_sets=sets).said == {}
    assert json.loads(host.installed("kind").with_name("kind.obtained.json").read_text())["trust"] == "pinned"
