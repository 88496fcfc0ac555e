# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, as installed, by ansible-inventory and in plays: on a living cluster, with less rights, from a cache, from a file."""

from __future__ import annotations

import ipaddress
import json
import re

import pytest
import yaml
from ansible_collections.podnet.calico.plugins.module_utils import _collect, _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from conftest import CHECKOUT, Lab
from weather import Weather, always, says

CALICO = "/apis/crd.projectcalico.org/v1"
PLUGIN = "ansible_collections/podnet/calico/plugins/inventory/cluster.py"
RECORDING = CHECKOUT / "tests" / "fixtures" / "real" / "calico-v3.30.7" / "vxlancrosssubnet-operator"
#: What AWX sets for an inventory source, beside the credential.
AWX = {"ANSIBLE_INVENTORY_UNPARSED_FAILED": "True", "ANSIBLE_FORCE_COLOR": "True"}


class Source:
    """An inventory file of a stranger's, and what Ansible makes of it."""

    def __init__(self, stranger, file):
        self.stranger = stranger
        self.file = file

    def ask(self, *arguments, **environment):
        ended = self.stranger.command("ansible-inventory", "-i", str(self.file), *arguments, **{**AWX, **environment})
        # A long message is folded to the width of a terminal.
        return ended.returncode, ended.stdout, " ".join(ended.stderr.split())

    def list(self, kubeconfig=None, *arguments, **environment):
        """All variables of all hosts, with the groups, as AWX reads them; and what was said beside."""
        given = {"K8S_AUTH_KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
        code, out, said = self.ask("--list", "--export", *arguments, **given, **environment)
        assert code == 0, said
        return json.loads(out, object_hook=plain), said

    def refused(self, kubeconfig):
        code, _out, said = self.ask("--list", "--export", K8S_AUTH_KUBECONFIG=str(kubeconfig))
        assert code != 0
        return said


def plain(found):
    """ansible-inventory marks text that must not be templated: whatever comes from a cluster."""
    return found["__ansible_unsafe"] if set(found) == {"__ansible_unsafe"} else found


@pytest.fixture
def source(stranger, tmp_path):
    """A file of that name, holding the plugin's name and what is given."""

    def write(name="calico.yml", **options):
        file = tmp_path / name
        file.write_text(yaml.safe_dump({"plugin": "podnet.calico.cluster", **options}))
        return Source(stranger, file)

    return write


@pytest.fixture(scope="module")
def weather(other, tmp_path_factory):
    with Weather(other.kubeconfig, tmp_path_factory.mktemp("weather")).running() as weather:
        yield weather


def items(lab, what):
    return json.loads(lab.kubectl("get", what, "--output", "json"))["items"]


def nodes(listed):
    return {name: variables["calico"] for name, variables in listed["_meta"]["hostvars"].items()}


def cluster(listed):
    return listed["calico_nodes"]["vars"]["calico_cluster"]


def test_hosts_are_the_nodes_with_what_the_api_says_of_them(other, source):
    listed, said = source().list(other.kubeconfig)
    found = nodes(listed)
    addresses = {
        node["metadata"]["name"]: next(entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP")
        for node in items(other, "nodes")
    }
    hostvars = listed["_meta"]["hostvars"]
    assert {name: hostvars[name]["ansible_host"] for name in hostvars} == addresses != {}
    annotations = {node["metadata"]["name"]: node["metadata"]["annotations"] for node in items(other, "nodes")}
    for name, node in found.items():
        assert node["calico_address"] == annotations[name]["projectcalico.org/IPv4Address"]
        assert node["vxlan_tunnel_address"] == annotations[name].get("projectcalico.org/IPv4VXLANTunnelAddr")
    owned = {(block["spec"]["affinity"], block["spec"]["cidr"]) for block in items(other, "ipamblocks.crd.projectcalico.org")}
    assert {("host:" + name, block) for name, node in found.items() for block in node["blocks"]} == owned
    assert cluster(listed)["unobserved"] == [] and "WARNING" not in said
    assert sorted(listed["calico_nodes"]["hosts"]) == sorted(addresses)


def test_the_account_of_view_sees_all_of_it(other, source):
    mine, _said = source().list(other.kubeconfig)
    seen, _said = source().list(other.restricted("view.yaml"))
    assert nodes(seen) == nodes(mine)
    assert cluster(seen) | {"collected_at": None} == cluster(mine) | {"collected_at": None}


def test_groups_and_variables_are_made_of_what_is_known(other, source):
    made = source(
        keyed_groups=[{"key": "calico.roles", "prefix": "role"}, {"key": "calico.subnet", "prefix": "subnet"}],
        groups={"tunnelled": "calico.vxlan_tunnel_address is not none", "by_version": "calico_cluster.calico_version is match('v3')"},
        compose={"router": "calico.calico_address | split('/') | first"},
        ansible_host=["wireguard_address", "vxlan_tunnel_address"],
        host_prefix="lab.",
        group="lab nodes",
        strict=True,
    )
    listed, _said = made.list(other.kubeconfig)
    assert listed["role_control_plane"]["hosts"] == [f"lab.{other.name}-control-plane"]
    everyone = sorted(listed["lab_nodes"]["hosts"])
    assert everyone == sorted(listed["tunnelled"]["hosts"]) == sorted(listed["by_version"]["hosts"]) and len(everyone) == 3
    (subnet,) = [name for name in listed if name.startswith("subnet_")]
    assert sorted(listed[subnet]["hosts"]) == everyone
    for variables in listed["_meta"]["hostvars"].values():
        assert variables["ansible_host"] == variables["calico"]["vxlan_tunnel_address"]
        assert variables["router"] == variables["calico"]["internal_ip"]


def test_a_mistake_in_an_expression_is_an_error_where_that_is_wanted(other, source):
    said = source(compose={"rack": "calico.rack"}, strict=True).refused(other.kubeconfig)
    assert "Could not set rack for host" in said
    listed, _said = source(compose={"rack": "calico.rack"}).list(other.kubeconfig)
    assert "rack" not in next(iter(listed["_meta"]["hostvars"].values()))


def test_the_graph_is_drawn(other, source):
    code, out, _said = source().ask("--graph", K8S_AUTH_KUBECONFIG=str(other.kubeconfig))
    assert code == 0 and f"|--{other.name}-worker2" in out and "@calico_nodes:" in out


def test_a_list_that_may_not_be_read_is_named_and_the_rest_is_there(weather, source):
    forbidden = says(403, 'ippools is forbidden: User "x" cannot list resource "ippools"')
    with weather.spell(always(f"{CALICO}/ippools", forbidden)):
        listed, said = source().list(weather.kubeconfig)
    assert 'ippools not seen (GET /apis/crd.projectcalico.org/v1/ippools' in said
    assert 'Grant verb "list" on resource "ippools" (API group "crd.projectcalico.org")' in said
    (gap,) = cluster(listed)["unobserved"]
    assert gap["what"] == "ippools" and cluster(listed)["pools"] is None
    assert all(node["blocks"] and node["pools"] is None for node in nodes(listed).values())


def test_an_account_that_may_not_list_nodes_gets_an_error_that_names_the_verb(other, source, weather):
    with weather.spell(always("/api/v1/nodes", says(403, "nodes is forbidden"))):
        said = source().refused(weather.kubeconfig)
    assert "The nodes of https://127.0.0.1:" in said and 'Grant verb "list" on resource "nodes" (API group "")' in said


def test_a_kubeconfig_that_is_wrong_is_named(other, source, tmp_path):
    assert f"The kubeconfig {tmp_path}/nowhere cannot be read" in source(kubeconfig="nowhere").refused("")
    document = yaml.safe_load(other.kubeconfig.read_text())
    stale = tmp_path / "stale"
    document["users"][0]["user"] = {"token": "stale-secret"}
    stale.write_text(yaml.safe_dump(document))
    said = source().refused(stale)
    assert "does not accept the credentials" in said and "stale-secret" not in said
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    stale.write_text(yaml.safe_dump(document))
    assert "The API server https://127.0.0.1:1 cannot be reached" in source().refused(stale)


def test_a_cluster_without_calico_is_named(stranger, source, tmp_path):
    playbook = tmp_path / "bare.yml"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": ["podnet.calico.sandbox"]}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    playbook.write_text(yaml.safe_dump([play]))
    bare = Lab(stranger, "bare-nodes")
    try:
        assert bare.play(str(playbook)).code == 0
        assert f"The cluster at {bare.server()} has no Calico" in source().refused(bare.kubeconfig)
    finally:
        assert bare.play("podnet.calico.destroy").code == 0


def test_options_that_are_no_sense_are_named(other, source):
    assert "deadline is 0 and must be greater than 0" in source(deadline=0).refused(other.kubeconfig)
    assert "ansible_host" in source(ansible_host=["external_ip"]).refused(other.kubeconfig)


@pytest.fixture
def caching(source, tmp_path):
    """A file with a cache of its own, and the cache's folder."""
    folder = tmp_path / "cache"
    return source(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(folder)), folder


def asked(weather, made, *arguments):
    """What is listed, and whether the cluster was asked for it."""
    weather.asked.clear()
    listed, _said = made.list(weather.kubeconfig, *arguments)
    return listed, f"{CALICO}/ipamblocks" in weather.asked


def test_the_second_time_the_cache_answers_until_it_is_flushed(weather, caching):
    made, _folder = caching
    first, was_asked = asked(weather, made)
    assert was_asked
    assert asked(weather, made) == (first, False)
    fresh, was_asked = asked(weather, made, "--flush-cache")
    assert was_asked and nodes(fresh) == nodes(first)


def test_without_a_cache_the_cluster_is_asked_each_time(weather, source):
    assert [asked(weather, source())[1] for _time in range(2)] == [True, True]


def test_a_cached_answer_is_never_another_clusters(weather, other, caching):
    made, _folder = caching
    through, _said = made.list(weather.kubeconfig)
    straight, _said = made.list(other.kubeconfig)
    assert cluster(through)["server"] != cluster(straight)["server"] == other.server()


def test_no_secret_gets_into_variables_or_the_cache(other, caching):
    made, folder = caching
    kubeconfig = other.restricted("view.yaml")
    token = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
    listed, _said = made.list(kubeconfig)
    (kept,) = folder.iterdir()
    assert f"{other.name}-worker" in kept.read_text()
    assert token not in kept.read_text() and token not in json.dumps(listed)


def test_what_was_seen_in_part_is_not_kept(weather, caching):
    made, _folder = caching
    with weather.spell(always(f"{CALICO}/ippools", says(403, "no"))):
        made.list(weather.kubeconfig)
    listed, was_asked = asked(weather, made)
    assert was_asked and cluster(listed)["unobserved"] == []


def test_a_snapshot_tells_the_same_without_a_cluster(other, source, tmp_path):
    snapshot = _collect.collect(connect({"kubeconfig": str(other.kubeconfig)}, Limits()))
    _snapshot.write(str(tmp_path / "cluster.jsonl.gz"), snapshot)
    live, _said = source().list(other.kubeconfig)
    kept, said = source("old.podnet.yaml", snapshot=["cluster.jsonl.gz"]).list()
    assert nodes(kept) == nodes(live) and "WARNING" not in said
    assert cluster(kept)["collected_at"] == snapshot.header.collected_at


def test_a_snapshot_that_is_none_is_named(source, tmp_path):
    (tmp_path / "damaged").write_text("{}\n")
    assert f"{tmp_path}/damaged, line 1: the first line is no header" in source(snapshot=["damaged"]).refused("")
    assert f"{tmp_path}/nowhere cannot be read" in source(snapshot=["nowhere"]).refused("")


@pytest.mark.parametrize(
    ("name", "taken"), [("x.calico.yml", True), ("podnet.yaml", True), ("my_calico.yml", True), ("hosts.yml", False), ("projectcalico.yml", False)]
)
def test_the_file_is_known_by_its_name(other, source, name, taken):
    code, _out, said = source(name).ask("--list", K8S_AUTH_KUBECONFIG=str(other.kubeconfig))
    assert (code == 0) is taken, said


def test_the_examples_of_the_documentation_are_inventories(stranger, other, tmp_path):
    text = (stranger.collections / PLUGIN).read_text()
    documents = re.search(r'EXAMPLES = r"""\n(.*?)"""', text, re.DOTALL)[1].split("---\n")
    home = tmp_path / "home"
    (home / ".kube").mkdir(parents=True)
    document = yaml.safe_load(other.kubeconfig.read_text())
    context = {**document["contexts"][0], "name": "prod-view"}
    (home / ".kube" / "prod").write_text(yaml.safe_dump({**document, "contexts": [context], "current-context": ""}))
    snapshot = _collect.collect(connect({"kubeconfig": str(other.kubeconfig)}, Limits()), ("api",))
    _snapshot.write(str(tmp_path / "cluster.jsonl.gz"), snapshot)
    assert len(documents) == 3
    for example in documents:
        file = tmp_path / re.match(r"# (\S+):", example)[1]
        file.write_text(example)
        listed, _said = Source(stranger, file).list(other.kubeconfig if file.name == "calico.yml" else None, HOME=str(home))
        assert sorted(nodes(listed)) == [f"{other.name}-{node}" for node in ("control-plane", "worker", "worker2")]
        if file.name == "prod.calico.yml":
            assert listed["role_worker"]["hosts"] and listed["rack_none"]["hosts"] and "not_ready" not in listed


def test_the_page_shows_what_comes_out(stranger, tmp_path):
    """docs/inventory.md, of the recording that it shows."""
    page = (CHECKOUT / "docs" / "inventory.md").read_text()
    written, shown, of_many = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    made = Source(stranger, tmp_path / "calico.yml")
    made.file.write_text(written + f"snapshot: [{RECORDING}]\n")
    code, out, said = made.ask("--graph")
    assert code == 0, said
    assert f"$ ansible-inventory -i calico.yml --graph\n{out}" in page
    told = nodes(made.list()[0])["pod-routing-worker"]
    wanted = yaml.safe_load(shown)["calico"]
    assert set(told) == set(wanted)
    of_the_stand_in = ("kubelet_version", "labels")
    assert {name: told[name] for name in told if name not in of_the_stand_in} == {
        name: wanted[name] for name in wanted if name not in of_the_stand_in
    }
    made.file.write_text(of_many + f"snapshot: [{RECORDING}]\n")
    assert "eu-pod-routing-worker" in made.list()[0]["calico_eu"]["hosts"]


def test_a_playbook_runs_on_the_nodes_and_says_how_each_sends_to_an_address(other, stranger):
    """examples/: over kubectl, through each node's own calico-node."""
    owner, block = next(
        (item["spec"]["affinity"].removeprefix("host:"), item["spec"]["cidr"])
        for item in items(other, "ipamblocks.crd.projectcalico.org")
    )
    address = ipaddress.ip_network(block)[-1]  # nobody's: the first is the tunnel's, which has a route of its own
    given = ("-i", str(CHECKOUT / "examples" / "nodes.calico.yml"), "-e", f"address={address}")
    told = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "K8S_AUTH_KUBECONFIG": str(other.kubeconfig)}
    ended = stranger.command("ansible-playbook", str(CHECKOUT / "examples" / "route_to.yml"), *given, **told)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tasks = json.loads(ended.stdout[ended.stdout.index("{\n") :])["plays"][0]["tasks"]
    routes = {host: result["msg"] for host, result in tasks[1]["hosts"].items()}
    assert len(routes) == 3
    assert {node: (route["type"], route["dst"]) for node, route in routes.items()} == {
        node: ("blackhole" if node == owner else "unicast", block) for node in routes
    }
    (sentence,) = {result["msg"] for result in tasks[2]["hosts"].values()}
    assert sentence == f"{block} of pool default-ipv4-ippool is {owner}'s"
