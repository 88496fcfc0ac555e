# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`snapshot`: a folder with every list of the API and what nodes and pods see.

The layout is that of recordings of real clusters: `api/RESOURCE.json` as `kubectl get -o json` writes it, `nodes/NODE/` and
`pods/NAMESPACE.POD/` with a file for each command. So whoever reads those (`make verify FROM=FOLDER`) reads this.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .exec_client import capture, connect
from .launch import LaunchError

Object = dict[str, Any]

_THREADS = 4
_SECONDS = 30
_SYSCTL_KEYS = ("forwarding", "proxy_arp", "rp_filter", "route_localnet")
_SYSCTL_FILES = (
    "ipv4/ip_forward",
    "ipv6/conf/all/forwarding",
    "ipv4/neigh/*/proxy_delay",
    *(f"ipv4/conf/*/{key}" for key in _SYSCTL_KEYS),
)
#: grep ends with 2 where a device went away meanwhile.
_SYSCTLS = f"grep -sH . {' '.join(f'/proc/sys/net/{name}' for name in _SYSCTL_FILES)}; [ $? -le 2 ]"
_BIRD = "birdcl -s /var/run/calico/bird.ctl show"
_VIEWS = {
    "ip-j-d-link.json": "ip -j -d -s link",
    "ip-j-addr.json": "ip -j addr",
    "ip-j-neigh.json": "ip -j neigh",
}
_NODE = {
    **_VIEWS,
    "ip-j-d-route-table-all.json": "ip -j -d route show table all",
    "ip-j-rule.json": "ip -j rule",
    "bridge-j-fdb.json": "ip -j -f bridge neigh",
    "iptables-nft-save-c.txt": "iptables-nft-save -c",
    "ipset-list.txt": "ipset list",
    "sysctls.txt": _SYSCTLS,
    "birdcl-show-protocols.txt": f"{_BIRD} protocols 2>&1 || [ $? = 1 ]",  # where no BIRD runs, that is what is seen
    "birdcl-show-route.txt": f"{_BIRD} route primary 2>&1 || [ $? = 1 ]",
}
_POD = {**_VIEWS, "ip-j-d-route.json": "ip -j -d route"}


def take(kubeconfig: Path, folder: Path) -> list[str]:
    """Record the sandbox of ``kubeconfig`` in ``folder``; what could not be. Raises `LaunchError`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LaunchError(f"{folder} is there and not empty. Name a folder that does not exist yet")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    problems: list[str] = []
    lists = _record_lists(_getter(connect(kubeconfig)), folder / "api", problems)
    pods = lists.get("pods", ())
    works = [*_node_works(pods), *_pod_works(pods)]

    def record(work: tuple[str, str, str, str, Mapping[str, str]]) -> list[str]:
        where, namespace, pod, container, commands = work
        return _record(connect(kubeconfig), folder / where, namespace, pod, container, commands)

    with ThreadPoolExecutor(_THREADS) as threads:
        for found in threads.map(record, works):
            problems += found
    if problems:
        _write(folder / "problems.txt", "\n".join(problems) + "\n")
    return problems


def _record_lists(get: Callable[[str], Object], folder: Path, problems: list[str]) -> dict[str, list[Object]]:
    """Every resource that can be listed: discovery says which there are."""
    lists = {}
    for resource, path in _listable(get, problems):
        try:
            answer = get(path)
        except OSError as error:
            problems.append(f"api/{resource}.json: {error}")
            continue
        # A list does not repeat what its kind says already, kubectl does.
        kind = str(answer["kind"]).removesuffix("List")
        items = [{"apiVersion": answer["apiVersion"], "kind": kind, **item} for item in answer["items"] or ()]
        lists[resource] = items
        _write_json(folder / f"{resource}.json", {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})
    _write_json(folder / "version.json", {"serverVersion": get("/version")})
    for item in lists.get("configmaps", ()):
        if (item["metadata"]["namespace"], item["metadata"]["name"]) == ("kube-system", "kubeadm-config"):
            _write(folder / "kubeadm-config.yaml", item["data"]["ClusterConfiguration"])
    return lists


def _listable(get: Callable[[str], Object], problems: list[str]) -> Iterator[tuple[str, str]]:
    """(`plural[.group]`, path) of every resource, at its group's preferred version; a group's server may be away (Calico's own API)."""
    versions = [("", "/api/v1")]
    versions += [(group["name"], f"/apis/{group['preferredVersion']['groupVersion']}") for group in get("/apis")["groups"]]
    for group, path in versions:
        try:
            resources = get(path)["resources"]
        except OSError as error:
            problems.append(f"{path}: {error}")
            continue
        for resource in resources:
            if "list" in resource["verbs"] and "/" not in resource["name"]:
                yield f"{resource['name']}.{group}".rstrip("."), f"{path}/{resource['name']}"


def _getter(api: Any) -> Callable[[str], Object]:
    """GET of a path as JSON, with the client's own server and credentials: its generated methods know no lists of any kind."""
    configuration = api.api_client.configuration
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    token = configuration.get_api_key_with_prefix("authorization") or ""

    def get(path: str) -> Object:
        headers = {"Accept": "application/json", **({"Authorization": token} if token else {})}
        request = urllib.request.Request(configuration.host + path, headers=headers)
        with urllib.request.urlopen(request, context=context, timeout=_SECONDS) as answer:
            body: Object = json.load(answer)
        return body

    return get


def _node_works(pods: Any) -> Iterator[tuple[str, str, str, str, Mapping[str, str]]]:
    for pod in pods:
        metadata = pod["metadata"]
        if (metadata.get("labels") or {}).get("k8s-app") == "calico-node" and pod["spec"].get("nodeName"):
            yield f"nodes/{pod['spec']['nodeName']}", metadata["namespace"], metadata["name"], "calico-node", _NODE


def _pod_works(pods: Any) -> Iterator[tuple[str, str, str, str, Mapping[str, str]]]:
    for pod in pods:
        metadata, running = pod["metadata"], (pod.get("status") or {}).get("phase") == "Running"
        if running and not pod["spec"].get("hostNetwork"):
            yield f"pods/{metadata['namespace']}.{metadata['name']}", metadata["namespace"], metadata["name"], "", _POD


def _record(api: Any, folder: Path, namespace: str, pod: str, container: str, commands: Mapping[str, str]) -> list[str]:
    problems = []
    for name, command in commands.items():
        try:
            said = capture(api, namespace, pod, container, ("sh", "-c", command))
            _write(folder / name, _as_sysctl(said) if command is _SYSCTLS else said)
        except LaunchError as error:
            problems.append(f"{folder.parent.name}/{folder.name}/{name}: {error}")
    return problems


def _as_sysctl(found: str) -> str:
    """`grep`'s lines as `sysctl` prints them."""
    pairs = (line.removeprefix("/proc/sys/").split(":", 1) for line in found.splitlines())
    return "".join(f"{key.replace('/', '.')} = {value}\n" for key, value in pairs)


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, indent=4) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
