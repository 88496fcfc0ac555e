# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every message of the code is told of in docs/troubleshooting, no other is; and what is emitted is what is written there."""

from __future__ import annotations

import pathlib
import re
import subprocess

import jinja2
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
if not (ROOT / "scripts").is_dir():
    pytest.skip("scripts/ is not part of the collection; the checkout's own test run holds the pages", allow_module_level=True)

from ansible.errors import AnsibleFilterError  # noqa: E402
from ansible_collections.podnet.calico.plugins.filter.host_judgement import host_judgement  # noqa: E402
from ansible_collections.podnet.calico.plugins.filter.pool_errors import pool_errors  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils import _blocks, _iproute, _recording, _snapshot, _verdict_file  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils._checks import select  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils._faults.scene import nothing_here  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils._prefix import prefix  # noqa: E402
from ansible_collections.podnet.calico.plugins.module_utils._source import saved_snapshot  # noqa: E402
from ansible_collections.podnet.calico.plugins.plugin_utils import _offline  # noqa: E402
from ansible_collections.podnet.calico.scripts.messages.extraction import messages  # noqa: E402
from ansible_collections.podnet.calico.scripts.messages.jinja import failing, load, mappings, text_of  # noqa: E402
from ansible_collections.podnet.calico.scripts.messages.pages import pages  # noqa: E402
from ansible_collections.podnet.calico.scripts.messages.texts import areas, lacking  # noqa: E402

FOUND = messages()
TOLD = {entry["says"] for area in areas().values() for entry in area["messages"]}


def pattern(text):
    """A message with its placeholders as a regular expression."""
    pieces = re.split(r"\{[^}]*\}", text)
    return re.compile(".*?".join(re.escape(piece).replace(r"\ ", r"\s*") for piece in pieces), re.DOTALL)


def test_every_message_is_told_of_and_no_other():
    assert lacking(FOUND) == []
    assert len(TOLD) == len(FOUND) > 300


def test_the_pages_are_what_would_be_written():
    written = {f"docs/troubleshooting/{path.name}" for path in (ROOT / "docs/troubleshooting").iterdir()}
    assert written | {"docs/troubleshooting.md"} == set(pages())
    for name, content in pages().items():
        assert (ROOT / name).read_text() == content, f"{name}: run make docs"


def test_a_message_that_nobody_wrote_of_is_named():
    new = FOUND[0]._replace(text="A new thing went wrong")
    assert lacking([*FOUND, new]) == [
        f"nothing is told of «A new thing went wrong» ({new.source}): add it to an area under {ROOT}/scripts/messages/texts"
    ]
    assert "which nothing says any more" in lacking(FOUND[1:])[0]


def test_every_raise_of_the_collections_own_error_is_among_them():
    """Counted in another way: lines that raise it with a text of their own, in files that have a message at least."""
    sources = {one.source for one in FOUND}
    for path in (ROOT / "plugins").rglob("*.py"):
        if re.search(r"raise (PodnetError|SnapshotError|AnsibleFilterError)\(\s*\"", path.read_text()):
            assert str(path.relative_to(ROOT)) in sources


# -- what is emitted ------------------------------------------------------------------------------------------------


def file_with(text, name="snapshot.jsonl"):
    """A call that reads a file with this text as a snapshot."""

    def call(folder):
        (folder / name).write_text(text)
        saved_snapshot([str(folder / name)])

    return call


def verdict_with(text):
    def call(folder):
        if text is not None:
            (folder / "verdict.json").write_text(text)
        _verdict_file.read(str(folder / "verdict.json"))

    return call


HEADER = '{"line": "header", "schema_version": 1, "collected_at": ""}\n'
EMITTED = [
    ("podnet.calico.{name}: {why}", lambda _folder: _offline.refuse("ip_route", "wants text")),
    ("wants {what} as text, got {value}", lambda _folder: _offline.text("ip_route", "the output", 5)),
    ("wants {what}, got an empty text", lambda _folder: _offline.named("cali_name", "a pod's name", " ")),
    ("wants {what}, got {value}", lambda _folder: _offline.listed("in_pool", "a list", "x")),
    ("wants {what} as a CIDR or as a dictionary with cidr, got {value}", lambda _folder: _offline.cidr("in_pool", "a pool", 7)),
    ("this is not what {command} prints: {why}, in {output}", lambda _folder: _offline.listing("ip_rule", "ip rule", _iproute.parse_rules, "x y")),
    ("ip rule: no priority in {line}", lambda _folder: _iproute.parse_rules("x y")),
    ("ip route: {word} without a value in {line}", lambda _folder: _iproute.parse_routes("default via")),
    ("ip route: {value} is not a number in {line}", lambda _folder: _iproute.parse_routes("default via 10.0.0.1 metric x")),
    ("{what}: JSON cut off or damaged: {error}", lambda _folder: _iproute.parse_routes("[{")),
    ("{what}: an object, where the command prints a list: {stripped}", lambda _folder: _iproute.parse_routes("{}")),
    ("{cidr} is neither an address nor a prefix", lambda _folder: prefix("somewhere")),
    ("{cidr} has an impossible prefix length", lambda _folder: prefix("10.0.0.0/40")),
    ("{ip} is not in the pool {pool}", lambda _folder: _blocks.block_of("10.9.0.1", "10.0.0.0/16", 26)),
    ("a block of /{length} is larger than the pool {pool}", lambda _folder: list(_blocks.blocks_in("10.0.0.0/28", 26))),
    ("use is {use}, and one of {handles}", lambda _folder: _blocks.handle_id("x", "nothing")),
    ("No check is called {pattern}. There are {families}; docs/checks.md lists them all.", lambda _folder: select(["block.x"], None)),
    ("The kubeconfig {path} cannot be read ({strerror})", lambda folder: connect({"kubeconfig": str(folder / "none")}, Limits())),
    ("The fault cannot be made here: {why}. Nothing was changed", lambda _folder: _raise(nothing_here("no pool has natOutgoing"))),
    ("{name} is empty: it has no header line. Collect it again with routing_snapshot.", file_with("")),
    ("{path}, line {number}: {error}", file_with(HEADER + '{"line": "secret"}\n')),
    ("a line of unknown sort {kind}", file_with(HEADER + '{"line": "secret"}\n')),
    ("the first line is no header: this is no snapshot of podnet.calico", file_with('{"line": "node", "name": "n"}\n')),
    ("no object: this is no snapshot of podnet.calico", file_with("[]\n")),
    (
        "schema version {version} is not {schema_version}: judge it with the version of podnet.calico that wrote it",
        file_with(HEADER.replace('"schema_version": 1', '"schema_version": 99')),
    ),
    ("{name} has no field {name}", file_with(HEADER + '{"line": "node", "name": "n", "colour": 1}\n')),
    ("{name} without {missing}", file_with(HEADER + '{"line": "node"}\n')),
    ("{folder} holds no recording: it has no list in api/ (nodes.json, pods.json …){…}. {folder}", lambda folder: _recording.load(str(folder))),
    ("The verdict {path} cannot be read ({strerror})", verdict_with(None)),
    ("{path} is not a verdict of podnet.calico ({error})", verdict_with("{}")),
    ("pool_errors wants a list of pools, got {name}", lambda _folder: pool_errors({}, 3, "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8")),
    ("host_judgement wants the key host of podnet.calico.host_info's result, got {host}", lambda _folder: host_judgement({}, {}, "v1", 1, 1, 1, 1, {}, 0)),
]  # fmt: skip


def _raise(error):
    raise error


@pytest.mark.parametrize(("says", "provoke"), EMITTED)
def test_what_is_raised_is_what_is_told_of(tmp_path, says, provoke):
    assert says in TOLD
    with pytest.raises((PodnetError, ValueError, AnsibleFilterError, _snapshot.SnapshotError)) as raised:
        provoke(tmp_path)
    assert pattern(says).search(str(raised.value)), str(raised.value)


PLAN = {
    "name": "p",
    "cidr": "192.168.0.0/16",
    "block_size": 26,
    "encapsulation": "VXLAN",
    "node_selector": "all()",
    "assignment_mode": "Automatic",
}
SUBNETS = ("172.18.0.0/16", "192.168.0.0/16", "10.96.0.0/16")
PLANS = [
    ("calico_pools is empty: pods would get no address. Give at least one pool", []),
    ("{name} is {size}, expected {largest_block} to {smallest_block}", [{**PLAN, "block_size": 12}]),
    ("{label} is {value}, expected an IPv4 network like 192.168.0.0/16: {error}", [{**PLAN, "cidr": "x"}]),
    ("{label} {pool} overlaps {name} {other}: take a pool inside podnet_pod_subnet {pods}", [{**PLAN, "cidr": "172.18.0.0/20"}]),
    ("{label} is {name}, as {seen} is already: give each pool a name of its own", [PLAN, PLAN]),
]  # fmt: skip


@pytest.mark.parametrize(("says", "pools"), PLANS)
def test_what_a_judgement_says_is_what_is_told_of(says, pools):
    assert says in TOLD
    errors = pool_errors(pools, 3, *SUBNETS)
    assert any(pattern(says).fullmatch(error) for error in errors), errors


# -- roles and playbooks: their templates, rendered with something for every variable --------------------------------


class Anything(dict):
    """Filters and tests by any name: what goes in comes out, and every test holds."""

    def __init__(self, function):
        super().__init__()
        self._function = function

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return self._function

    def get(self, name, default=None):
        return self._function


class Something(jinja2.ChainableUndefined):
    """A variable that is there."""

    def __str__(self):
        return "something"

    def __call__(self, *arguments, **words):
        return self

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(["something"])

    def __add__(self, other):
        return self


def rendered(template):
    environment = jinja2.Environment(undefined=Something)
    environment.filters, environment.tests = Anything(lambda value, *_a, **_w: value), Anything(lambda *_a, **_w: True)
    return " ".join(environment.from_string(template).render().split())


TEMPLATES = [
    (path, message)
    for path in sorted([*(ROOT / "roles").glob("*/tasks/*.yml"), *(ROOT / "playbooks").glob("*.yml")])
    for task in mappings(load(path))
    for message in failing(task)
]


@pytest.mark.parametrize(("path", "template"), TEMPLATES)
def test_what_a_failing_task_renders_is_what_is_told_of(path, template):
    says = " ".join(text_of(template).split())
    if re.search(r"[A-Za-z]{3,}", re.sub(r"\{[^}]*\}", "", says)):  # else it only hands on another's words
        assert says in TOLD, path
    assert pattern(says).fullmatch(rendered(template)), rendered(template)


def test_there_are_as_many_failing_tasks_as_the_files_have():
    count = sum(
        len(re.findall(r"^\s*fail_msg:|^\s*ansible\.builtin\.fail:", path.read_text(), re.MULTILINE)) for path in {p for p, _t in TEMPLATES}
    )
    assert len(TEMPLATES) == count > 40


# -- programs -------------------------------------------------------------------------------------------------------


def test_the_makefile_refuses_a_lab_that_is_not_there():
    done = subprocess.run(["make", "LAB=nowhere", "help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert pattern("LAB={LAB}: there is no {INVENTORY}. LAB is one of: {…}").search(done.stderr)


def test_record_cluster_refuses_a_folder_with_something_in_it(tmp_path):
    (tmp_path / "x").write_text("")
    done = subprocess.run([ROOT / "roles/pod_routing/files/record-cluster", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert pattern("record-cluster: {folder} is not empty. Name a folder that does not exist yet.").search(done.stderr)
