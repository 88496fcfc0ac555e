# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kind's library: what the kind command and containerlab both call.

Facts (kind source, v0.31.0: pkg/cluster/internal/create and delete, run): the order of what is done and refused: Docker
reached, name taken, name long (warning), configuration checked, then image, network, containers; a failure after that removes
the nodes again unless they are to be retained; a cluster that waits for nodes without a network gives up with a warning and
succeeds.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any, Protocol

from podnet_doubles import api, docker, flags, kind_config, kubeconfig, network, nodes
from podnet_doubles.built import Built
from podnet_doubles.errors import NotImitated, ToolError
from podnet_doubles.sandbox import Running, Sandboxes

_NAME_LENGTH = 50
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Log(Protocol):
    """Where the library says what it does."""

    def info(self, text: str) -> None:
        """Progress."""

    def warn(self, text: str) -> None:
        """A warning."""

    def error(self, text: str) -> None:
        """A failure that does not end the work."""


@dataclass(frozen=True)
class Wish:
    """A cluster to create. ``wait`` in seconds."""

    config: dict[str, Any]
    kubeconfig: str = ""
    wait: float = 0.0
    retain: bool = False


class Clusters:
    """The clusters of one Docker engine."""

    def __init__(self, built: Built, log: Log) -> None:
        self._built, self._log = built, log

    def create(self, wish: Wish) -> None:
        """Create a cluster. Raises `ToolError` and `NotImitated`."""
        name = wish.config["name"]
        try:
            docker.run("info", "--format", "{{json .}}")
        except docker.CommandFailed as failure:
            raise ToolError(f"failed to get docker info: {failure}") from failure
        Sandboxes(self._built).sweep()
        if self.nodes(name):
            raise ToolError(f'node(s) already exist for a cluster with the name "{name}"')
        if len(name) > _NAME_LENGTH:
            self._log.warn(f'cluster name "{name}" is probably too long, this might not work properly on some systems')
        kind_config.check(wish.config)
        _refuse_what_is_not_imitated(wish.config)
        self._log.info(f'Creating cluster "{name}" ...')
        try:
            self._build(wish)
        except (ToolError, NotImitated):
            if not wish.retain:
                self.delete(name, wish.kubeconfig)
            raise

    def delete(self, name: str, kubeconfig_path: str) -> None:
        """Delete a cluster; a missing one is deleted already. Raises `ToolError`."""
        try:
            found = self.nodes(name)
        except ToolError as error:
            raise ToolError(f"error listing nodes: {error}") from error
        failure = None
        try:
            kubeconfig.remove(name, kubeconfig_path)
        except ToolError as error:
            self._log.error(f"failed to update kubeconfig: {error}")
            failure = error
        sandboxes = Sandboxes(self._built)
        sandboxes.end(name)
        sandboxes.sweep()
        if found:
            nodes.remove(found)
            self._log.info(f"Deleted nodes: [{' '.join(map(_quoted, found))}]")
        if failure:
            raise failure

    def nodes(self, name: str) -> list[str]:
        """The cluster's nodes. Raises `ToolError`."""
        try:
            return nodes.of_cluster(name)
        except docker.CommandFailed as failure:
            raise ToolError(f"failed to list nodes: {failure}") from failure

    def names(self) -> list[str]:
        """Every cluster. Raises `ToolError`."""
        try:
            return nodes.clusters()
        except docker.CommandFailed as failure:
            raise ToolError(f"failed to list clusters: {failure}") from failure

    def kubeconfig(self, name: str, *, internal: bool = False) -> dict[str, Any]:
        """The cluster's kubeconfig, read from its control plane. Raises `ToolError`."""
        found = nodes.control_planes(name) if self.nodes(name) else []
        if not found:
            hint = "Use the --name option to select a different cluster"
            raise ToolError(f"could not locate any control plane nodes for cluster named '{name}'. {hint}")
        try:
            text = nodes.read(found[0], nodes.ADMIN_CONF)
            server = "" if internal else nodes.read(found[0], nodes.ENDPOINT)
        except docker.CommandFailed as failure:
            raise ToolError(f"failed to get cluster internal kubeconfig: {failure}") from failure
        return kubeconfig.from_admin_conf(text, name, server)

    def _build(self, wish: Wish) -> None:
        config = wish.config
        for image in sorted({node["image"] for node in config["nodes"]}):
            self._step(f"Ensuring node image ({image.split('@sha256:')[0]}) 🖼")
        lan = network.name(self._log.warn)
        try:
            network.ensure(lan)
        except ToolError as error:
            raise ToolError(f"failed to ensure docker network: {error}") from error
        boxes = "📦 " * len(config["nodes"])
        self._log.info(f" • Preparing nodes {boxes}  ...")
        try:
            _refuse_a_taken_port(config)
            containers = nodes.create(config["name"], config["nodes"], lan)
        except ToolError:
            self._log.info(f" ✗ Preparing nodes {boxes}")
            raise
        self._log.info(f" ✓ Preparing nodes {boxes}")
        self._step("Writing configuration 📜")
        running = self._start(config, containers, lan)
        self._step("Starting control-plane 🕹️")
        if not config["networking"].get("disableDefaultCNI"):
            self._step("Installing CNI 🔌")
            self._log.warn("podnet double of kind: kindnet is not imitated; the nodes stay NotReady until Calico is installed")
        self._step("Installing StorageClass 💾")
        if len(containers) > 1:
            self._step("Joining worker nodes 🚜")
        _label(running, containers, config["nodes"])
        if wish.wait:
            self._wait(wish.wait)
        kubeconfig.merge(self.kubeconfig(config["name"]), wish.kubeconfig)

    def _start(self, config: dict[str, Any], containers: list[str], lan: str) -> Running:
        """The sandbox with the containers' names and addresses, and its kubeconfig where kubeadm leaves one."""
        order = sorted(range(len(containers)), key=lambda place: config["nodes"][place]["role"] != "control-plane")
        ordered = [containers[place] for place in order]
        settings = {
            "name": config["name"],
            "nodes": ordered,
            "node_addresses": nodes.addresses(ordered, lan),
            "node_subnet": network.ipv4_subnet(lan),
            "pod_subnet": config["networking"]["podSubnet"],
            "service_subnet": config["networking"]["serviceSubnet"],
            "kubernetes_version": _kubernetes(config["nodes"][order[0]]["image"]),
            "calico_version": self._built.calico_version,
            "port": max(0, config["networking"]["apiServerPort"]),
        }
        first = ordered[0]
        running = Sandboxes(self._built).start(config["name"], nodes.inspect([first])[0]["Id"], settings)
        inside = {**running.kubeconfig, "clusters": [dict(running.kubeconfig["clusters"][0])]}
        cluster = inside["clusters"][0]["cluster"]
        inside["clusters"][0]["cluster"] = {**cluster, "server": f"https://{first}:6443"}
        nodes.put(first, nodes.ADMIN_CONF, kubeconfig.render(inside))
        nodes.put(first, nodes.ENDPOINT, running.server)
        return running

    def _step(self, text: str) -> None:
        self._log.info(f" • {text}  ...")
        self._log.info(f" ✓ {text}")

    def _wait(self, seconds: float) -> None:
        """Nothing here has a network yet, so kind would wait to the end and give up. The double says so at once."""
        text = f"Waiting ≤ {flags.duration(seconds)} for control-plane = Ready ⏳"
        self._log.info(f" • {text}  ...")
        self._log.info(f" ✗ {text}")
        self._log.info(" • WARNING: Timed out waiting for Ready ⚠️")
        self._log.info(f"podnet double of kind: the real one would have waited {flags.duration(seconds)}; this one did not")


def _refuse_what_is_not_imitated(config: dict[str, Any]) -> None:
    if not _DNS_LABEL.fullmatch(f"{config['name']}-control-plane"):
        raise NotImitated("kind", f"the name {config['name']}: the sandbox behind it takes lower-case DNS labels only")
    networking = config["networking"]
    if networking["ipFamily"] != "ipv4":
        raise NotImitated("kind", f"ipFamily {networking['ipFamily']}: the sandbox behind it is IPv4 only")
    if networking["apiServerAddress"] != "127.0.0.1":
        raise NotImitated("kind", f"apiServerAddress {networking['apiServerAddress']}: the sandbox listens on 127.0.0.1 only")
    if sum(node["role"] == "control-plane" for node in config["nodes"]) > 1:
        raise NotImitated("kind", "several control planes: the sandbox has one, and there is no load balancer")


def _refuse_a_taken_port(config: dict[str, Any]) -> None:
    """As Docker refuses to publish one; the port is given to no container here, the sandbox listens on it."""
    port = config["networking"]["apiServerPort"]
    if port <= 0:
        return
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        name = f"{config['name']}-control-plane"
        argv = ["docker", "run", "--name", name, f"--publish=127.0.0.1:{port}:6443/TCP"]
        said = f"driver failed programming external connectivity on endpoint {name}: Bind for 127.0.0.1:{port} failed"
        reply = f"docker: Error response from daemon: {said}: port is already allocated."
        raise docker.CommandFailed(argv, "exit status 125", reply) from error


def _label(running: Running, containers: list[str], wanted: list[dict[str, Any]]) -> None:
    """nodes[].labels become the Nodes' labels."""
    for container, node in zip(containers, wanted, strict=True):
        if not node.get("labels"):
            continue
        try:
            patch = {"metadata": {"labels": node["labels"]}}
            api.request(running.kubeconfig, f"/api/v1/nodes/{container}", method="PATCH", body=patch)
        except api.ApiUnreachable as error:
            raise ToolError(f"failed to join node with kubeadm: {error}") from error


def _kubernetes(image: str) -> str:
    """The release that a node image has, by its tag."""
    match = re.search(r":(v\d+\.\d+\.\d+)", image)
    if match is None:
        raise NotImitated("kind", f"the image {image}: its tag does not say which Kubernetes it has")
    return match.group(1)


def _quoted(name: str) -> str:
    return f'"{name}"'
