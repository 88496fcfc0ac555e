# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recording's commands, run in a sandbox: path as in the recording → what was printed (errors with it)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from bringing_up import calico_nodes
from cluster import Cluster
from renaming import Renaming
from scenario import Scenario

_BIRD = "birdcl -s /var/run/calico/bird.ctl show"
_NODE_SYSCTLS = """
cd /proc/sys/net
grep -sH '' ipv4/ip_forward netfilter/nf_conntrack_acct bridge/bridge-nf-call-iptables \\
  ipv4/conf/*/forwarding ipv4/conf/*/proxy_arp ipv4/conf/*/rp_filter ipv4/conf/*/route_localnet ipv4/conf/*/accept_local \\
  ipv4/conf/*/send_redirects ipv6/conf/*/forwarding ipv6/conf/*/proxy_ndp ipv6/conf/*/accept_ra ipv6/conf/*/accept_dad \\
  ipv6/conf/*/disable_ipv6 ipv6/conf/*/addr_gen_mode ipv4/neigh/*/proxy_delay | sed 's/:/ = /'
"""
_POD_SYSCTLS = """
for key in ipv4/ip_forward ipv4/conf/all/rp_filter ipv4/conf/eth0/rp_filter ipv4/conf/eth0/forwarding ipv4/conf/eth0/proxy_arp \
  ipv6/conf/all/forwarding ipv6/conf/eth0/accept_dad ipv6/conf/all/disable_ipv6 ipv6/conf/eth0/disable_ipv6; do
  echo "net/$key = $(cat /proc/sys/net/$key)"
done
"""
_NODE = {
    "birdcl-show-interfaces.txt": f"{_BIRD} interfaces",
    "birdcl-show-protocols-all.txt": f"{_BIRD} protocols all",
    "birdcl-show-protocols.txt": f"{_BIRD} protocols",
    "birdcl-show-route-all.txt": f"{_BIRD} route all",
    "birdcl-show-route.txt": f"{_BIRD} route",
    "birdcl-show-status.txt": f"{_BIRD} status",
    "birdcl6-show-protocols.txt": "birdcl -s /var/run/calico/bird6.ctl show protocols",
    "bridge-j-fdb.json": "bridge -j fdb show",
    "ip-j-addr.json": "ip -j addr",
    "ip-j-d-link.json": "ip -j -d link",
    "ip-j-d-route-table-all.json": "ip -j -d route show table all",
    "ip-j-neigh.json": "ip -j neigh",
    "ip-j-rule.json": "ip -j rule",
    "ipset-list.txt": "ipset list",
    "iptables-nft-save-c.txt": "iptables-nft-save -c -t nat",
    "nft-list-ruleset-head.txt": "nft list tables",
    "services.txt": "for d in /etc/service/enabled/*; do sv status $d; done",
    "sysctls.txt": _NODE_SYSCTLS,
    "var-lib-calico.txt": 'for f in /var/lib/calico/*; do echo "$f: $(cat $f)"; done',
}
_POD = {
    "ip-j-6-route.json": "ip -j -6 route",
    "ip-j-addr.json": "ip -j addr",
    "ip-j-d-link.json": "ip -j -d link",
    "ip-j-d-route.json": "ip -j -d route",
    "ip-j-neigh.json": "ip -j neigh",
    "ip-j-rule.json": "ip -j rule",
    "resolv.conf": "cat /etc/resolv.conf",
    "sysctls.txt": _POD_SYSCTLS,
}
_KUBECTL = {
    "kubectl-get-nodes-wide.txt": ("get", "nodes", "-o", "wide"),
    "kubectl-get-pods-wide.txt": ("get", "pods", "-A", "-o", "wide"),
    "kubectl-get-tigerastatus.txt": ("get", "tigerastatus"),
    "kubectl-api-resources.txt": ("api-resources",),
}
#: `kubectl get NAME`, where NAME has no group, → its list.
_BUILT_IN = {
    "pods": "/api/v1/pods",
    "nodes": "/api/v1/nodes",
    "services": "/api/v1/services",
    "events": "/api/v1/events",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "deployments": "/apis/apps/v1/deployments",
    "apiservices": "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org",
    "configmap-cni-config": "/api/v1/namespaces/calico-system/configmaps/cni-config",
}
_VERSIONS = {"crd.projectcalico.org": "v1", "operator.tigera.io": "v1"}

Outputs = dict[str, str]


def is_asked(path: str) -> bool:
    """Whether the recorded output at ``path`` is one that `gather` brings."""
    group, _ignored, rest = path.partition("/")
    name = rest.rpartition("/")[2]
    return {"api": True, "nodes": name in _NODE, "pods": name in _POD, "probes": not name.startswith(("calicoctl", "tcpdump"))}.get(group, False)


def gather(cluster: Cluster, scenario: Scenario) -> tuple[Outputs, Renaming]:
    """What the sandbox says where the recording has something, and how its names become the recording's."""
    found = _api(cluster, scenario)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(_node, cluster, node, pod) for node, pod in calico_nodes(cluster).items()]
        asked += [pool.submit(_pod, cluster, pod) for pod in json.loads(found["api/pods.json"])["items"] if _is_shown(pod)]
        for each in asked:
            found |= each.result()
    renaming = Renaming.between(scenario.outputs, found)
    found |= _probes(cluster, scenario, renaming.reversed())
    if "probes/ping-mesh.txt" in scenario.outputs:
        found |= _mesh(cluster, json.loads(found["api/pods.json"])["items"])
    for name, words in _KUBECTL.items():
        if f"probes/{name}" in scenario.outputs:
            found[f"probes/{name}"] = cluster.kubectl(*words)
    return found, renaming


def _is_shown(pod: Mapping) -> bool:
    """Whether pods of its kind were asked by exec."""
    return pod["metadata"]["namespace"] == "default" and pod["status"]["phase"] == "Running"


def _api(cluster: Cluster, scenario: Scenario) -> Outputs:
    found = {}
    for path in scenario.outputs:
        if path.startswith("api/"):
            content = cluster.get(_list_path(path.removeprefix("api/").removesuffix(".json")))
            for item in (content or {}).get("items", ()):  # a list leaves out what all its items are
                item.setdefault("kind", content["kind"].removesuffix("List"))
                item.setdefault("apiVersion", content["apiVersion"])
            found[path] = json.dumps(content)
    return found


def _list_path(name: str) -> str:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    resource, _ignored, group = name.partition(".")
    if group == "v3.projectcalico.org":
        return f"/apis/projectcalico.org/v3/{resource}"
    return f"/apis/{group}/{_VERSIONS[group]}/{resource}"


def _node(cluster: Cluster, node: str, pod: str) -> Outputs:
    return _run(cluster, "calico-system", pod, {f"nodes/{node}/{name}": command for name, command in _NODE.items()})


def _pod(cluster: Cluster, pod: Mapping) -> Outputs:
    name = pod["metadata"]["name"]
    return _run(cluster, "default", name, {f"pods/default.{name}/{file}": command for file, command in _POD.items()})


def _run(cluster: Cluster, namespace: str, pod: str, commands: Mapping[str, str]) -> Outputs:
    """All commands of one pod by one exec, at once; a failing one's code is its last line, as in the recordings."""
    mark = uuid.uuid4().hex
    lines = ["d=$(mktemp -d)"]
    for number, command in enumerate(commands.values()):
        lines.append(f"{{ ( {command}\n) >$d/{number} 2>&1; c=$?; [ $c = 0 ] || echo \"[exit status $c]\" >>$d/{number}; }} &")
    lines.append("wait")
    lines += [f"echo {mark}; cat $d/{number}" for number in range(len(commands))]
    lines.append("rm -r $d")
    parts = cluster.run(namespace, pod, "\n".join(lines)).split(f"{mark}\n")[1:]
    return dict(zip(commands, parts, strict=True))


def _probes(cluster: Cluster, scenario: Scenario, to_sandbox: Renaming) -> Outputs:
    """Each recorded probe's own command, said in the sandbox's names, by the pod or node that ran it."""
    nodes = calico_nodes(cluster)
    by_place: dict[tuple[str, str], dict[str, str]] = {}
    heads: Outputs = {}
    for path, text in scenario.outputs.items():
        asked = re.match(r"# from pod (\S+) \(.*\)\n# (.*)\n", text)
        if path.startswith("probes/") and asked:
            heads[path] = to_sandbox.text(asked[0])
            by_place.setdefault(("default", to_sandbox.text(asked[1])), {})[path] = to_sandbox.text(_quoted(asked[2]))
    for number, (node, command) in enumerate(re.findall(r"^## node (\S+): (.*)$", scenario.outputs.get("probes/route-get.txt", ""), re.M)):
        by_place.setdefault(("calico-system", nodes[node]), {})[f"{number} {node} {command}"] = to_sandbox.text(command)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(_run, cluster, *place, commands) for place, commands in by_place.items()]
        answers = {path: text for each in asked for path, text in each.result().items()}
    found = {path: heads[path] + answers.pop(path) for path in heads}
    routes = sorted(answers.items(), key=lambda item: int(item[0].split()[0]))
    if routes:
        blocks = (f"## node {key.split(' ', 2)[1]}: {to_sandbox.text(key.split(' ', 2)[2])}\n{text}" for key, text in routes)
        found["probes/route-get.txt"] = "\n".join(blocks)
    return found


def _mesh(cluster: Cluster, pods: list[dict]) -> Outputs:
    """The TTL of each pod's answer to each, in the form of the recording."""
    multitools = [pod for pod in pods if _is_shown(pod)]
    addresses = [pod["status"]["podIP"] for pod in multitools]
    commands = {address: f"ping -c1 -W1 {address} | grep -o 'ttl=[0-9]*'" for address in addresses}
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(_run, cluster, "default", pod["metadata"]["name"], commands) for pod in multitools]
    lines = [
        f"{source} - -> {address} - {text.strip().replace('=', ' ')}"
        for source, each in zip(addresses, asked, strict=True)
        for address, text in each.result().items()
    ]
    return {"probes/ping-mesh.txt": "\n".join(lines)}


def _quoted(command: str) -> str:
    """curl's format was recorded without its quotes."""
    return re.sub(r"(-w) (.*?\\n)", r"\1 '\2'", command)
