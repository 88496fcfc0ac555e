# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Tigera operator: acts while its Deployment's pod runs, from Installation and APIServer `default`.

Installation -> IP pools, namespaces, workloads, configuration objects, TigeraStatus. Source: calico-facts 7.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ...api.errors import ApiError
from ...config import SandboxConfig, release_of
from ...dataplane.felix import pod_mtu
from ..objects import is_ready, is_terminating, now
from . import status
from .components import API_SERVER, SYSTEM, api_service, render
from .configurations import default_objects
from .installation import ip_pools, is_managed, pool_metadata, problems, with_defaults
from .status import Health

INSTALLATIONS, API_SERVERS = "installations.operator.tigera.io", "apiservers.operator.tigera.io"
API_SERVICES = "apiservices.apiregistration.k8s.io"
POOLS = "ippools.crd.projectcalico.org"
_FINALIZERS = ["operator.tigera.io/installation-controller", "tigera.io/operator-cleanup"]
_API_SERVER_FINALIZER = "operator.tigera.io/apiserver-controller"
_RESOURCES = {"DaemonSet": "daemonsets.apps", "Deployment": "deployments.apps", "Service": "services"}


class Operator:
    """Keeps what Calico consists of as the Installation wants it. ``ipip``: whether the kernel has tunl0."""

    watches = frozenset({
        INSTALLATIONS, API_SERVERS, API_SERVICES, POOLS, "pods", "nodes", "deployments.apps", "daemonsets.apps",
        "customresourcedefinitions.apiextensions.k8s.io",
    })  # fmt: skip

    def __init__(self, store: Any, config: SandboxConfig, ipip: Callable[[], bool]) -> None:
        self._store = store
        self._config = config
        self._ipip = ipip

    def reconcile(self) -> None:
        installation = self._get(INSTALLATIONS, "default") if self._runs() else None
        if installation is None:
            return
        if is_terminating(installation):
            self._uninstall(installation)
            return
        installation = self._complete(installation)
        generation = installation["metadata"]["generation"]
        faults = problems(installation["spec"], self._config.node_subnet, self._no_ipip(installation["spec"]))
        if faults:
            self._refuse(installation, Health(fault="; ".join(faults), reason="InvalidConfigurationError"))
            return
        api_server = self._get(API_SERVERS, "default")
        pools = self._pools(installation)
        status.write(self._store, "ippools", pools, generation)
        workloads = self._render(installation, api_server)
        calico = status.of_workloads([item for item in workloads if item["metadata"]["namespace"] == SYSTEM])
        status.write(self._store, "calico", calico, generation)
        if api_server:
            served = status.of_workloads([item for item in workloads if item["metadata"]["namespace"] == API_SERVER])
            self._report_api_server(api_server, served)
        elif self._get(status.STATUSES, "apiserver"):
            self._store.delete(status.STATUSES, "apiserver")
        self._report(installation, calico if pools.available else pools)

    def _no_ipip(self, spec: Mapping[str, Any]) -> str:
        """Why no pool can have IPIP, and what to do; "" where Felix routes into tunl0 and the kernel has it."""
        if not self._ipip():
            return "this machine's kernel has no IPIP (module ipip); use a kernel that has it"
        if release_of(self._config.calico_version) < (3, 32):
            return "before Calico v3.32 only Calico's own BIRD routes into tunl0; use v3.32 with clusterRoutingMode Felix"
        if spec["calicoNetwork"].get("clusterRoutingMode") != "Felix":
            return "only Calico's own BIRD, and Felix, can route into tunl0; set calicoNetwork.clusterRoutingMode to Felix"
        return ""

    def _runs(self) -> bool:
        """Whether the operator's pod runs. Its image does not matter: which Calico it installs was said at `up`."""
        pods = self._store.scan("pods", "tigera-operator")
        return any((pod["metadata"].get("labels") or {}).get("k8s-app") == "tigera-operator" and is_ready(pod) for pod in pods)

    def _complete(self, installation: dict[str, Any]) -> dict[str, Any]:
        """Write the defaults and the finalizers, as the operator does."""
        wanted = with_defaults(installation.get("spec") or {}, self._kubeadm_pod_subnet())
        finalizers = installation["metadata"].get("finalizers") or []
        ours = [*_FINALIZERS, _API_SERVER_FINALIZER] if self._get(API_SERVERS, "default") else _FINALIZERS
        finalizers = finalizers + [item for item in ours if item not in finalizers]
        if wanted == installation.get("spec") and finalizers == installation["metadata"].get("finalizers"):
            return installation
        metadata = {**installation["metadata"], "finalizers": finalizers}
        return self._store.update(INSTALLATIONS, {**installation, "metadata": metadata, "spec": wanted})

    def _kubeadm_pod_subnet(self) -> str:
        found = self._get("configmaps", "kubeadm-config", "kube-system")
        if found is None:
            return ""
        configuration = yaml.safe_load(found["data"]["ClusterConfiguration"])
        return str((configuration.get("networking") or {}).get("podSubnet") or "")

    def _pools(self, installation: Mapping[str, Any]) -> Health:
        """Create, change and delete the operator's pools. Changes need Calico's API server (calico-facts 7.2)."""
        wanted = {pool["name"]: pool["spec"] for pool in ip_pools(installation["spec"])}
        existing = {pool["metadata"]["name"]: pool for pool in self._store.scan(POOLS)}
        for name in wanted.keys() - existing.keys():
            self._store.create(POOLS, {
                "apiVersion": "crd.projectcalico.org/v1",
                "kind": "IPPool",
                "metadata": pool_metadata(name, now()),
                "spec": wanted[name],
            })  # fmt: skip
        own = {name: pool for name, pool in existing.items() if is_managed(pool)}
        changed = [name for name in own if name not in wanted or own[name]["spec"] != wanted[name]]
        fixed = [n for n in changed if n in wanted and _moved(own[n]["spec"], wanted[n])]
        if fixed:
            fault = f"IP pool {fixed[0]}: cidr and blockSize cannot be changed in place; delete the pool and create another"
            return Health(fault=fault, reason="ResourceUpdateError")
        if changed and not self._api_server_available():
            fault = "Unable to modify IP pools while Calico API server is unavailable"
            return Health(fault=fault, reason="ResourceNotReady")
        for name in changed:
            if name in wanted:
                self._store.update(POOLS, {**own[name], "spec": wanted[name]})
            else:
                self._store.delete(POOLS, name)
        return Health()

    def _api_server_available(self) -> bool:
        found = self._get(status.STATUSES, "apiserver")
        entries = ((found or {}).get("status") or {}).get("conditions") or ()
        return any(entry["type"] == "Available" and entry["status"] == "True" for entry in entries)

    def _render(self, installation: Mapping[str, Any], api_server: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """Apply all objects; returns the workloads as they are now."""
        for namespace in (SYSTEM, API_SERVER) if api_server else (SYSTEM,):
            self._ensure("namespaces", {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": {"name": namespace}},
            })  # fmt: skip
        self._configure(installation)
        if api_server:
            self._apply(API_SERVICES, api_service(api_server))
        nodes = len(self._store.scan("nodes"))
        applied = []
        for obj in render(installation, self._config.calico_version, nodes, self._config.service_subnet, api_server):
            account = obj["spec"].get("template", {}).get("spec", {}).get("serviceAccountName")
            if account:
                self._ensure("serviceaccounts", _service_account(account, obj["metadata"]["namespace"]))
            kept = self._apply(_RESOURCES[obj["kind"]], obj)
            if obj["kind"] != "Service":
                applied.append(kept)
        return applied

    def _configure(self, installation: Mapping[str, Any]) -> None:
        """Calico's own configuration objects; what somebody changed in one stays, but for what Calico is."""
        bgp = installation["spec"]["calicoNetwork"]["bgp"] == "Enabled"
        information = {
            "calicoVersion": self._config.calico_version,
            "clusterGUID": uuid.uuid4().hex,
            "clusterType": "typha,kdd,k8s,operator" + (",bgp" if bgp else ""),
            "datastoreReady": True,
        }
        found = self._get("clusterinformations.crd.projectcalico.org", "default")
        if found:
            information["clusterGUID"] = found["spec"]["clusterGUID"]
        for obj in default_objects(self._config.calico_version, information, now()):
            res = f"{obj['kind'].lower()}s.crd.projectcalico.org"
            made = self._ensure(res, obj)
            if obj["spec"] is information and made["spec"] != information:
                self._store.update(res, {**made, "spec": information})

        if release_of(self._config.calico_version) >= (3, 32) and installation["spec"]["calicoNetwork"].get("clusterRoutingMode"):
            self._share_routes(felix=installation["spec"]["calicoNetwork"]["clusterRoutingMode"] == "Felix")

    def _share_routes(self, *, felix: bool) -> None:
        """Whose the routes of pools without VXLAN are: Felix's or BIRD's (operator v1.42: clusterRoutingMode)."""
        words = ("Enabled", "Disabled") if felix else ("Disabled", "Enabled")
        for kind, word in zip(("felixconfigurations", "bgpconfigurations"), words, strict=True):
            found = self._store.get(f"{kind}.crd.projectcalico.org", "default")
            if found["spec"].get("programClusterRoutes") != word:
                self._store.patch(f"{kind}.crd.projectcalico.org", "default", {"spec": {"programClusterRoutes": word}})

    def _apply(self, res: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Create, or bring the spec back to what was rendered; fields the API server added stay."""
        metadata = wanted["metadata"]
        found = self._get(res, metadata["name"], metadata.get("namespace"))
        if found is None:
            return self._store.create(res, wanted)
        merged = _overlay(found["spec"], wanted["spec"])
        return found if merged == found["spec"] else self._store.update(res, {**found, "spec": merged})

    def _ensure(self, res: str, wanted: dict[str, Any]) -> dict[str, Any]:
        metadata = wanted["metadata"]
        return self._get(res, metadata["name"], metadata.get("namespace")) or self._store.create(res, wanted)

    def _report(self, installation: Mapping[str, Any], health: Health) -> None:
        before = (installation.get("status") or {}).get("conditions") or []
        network = installation["spec"]["calicoNetwork"]
        mtu = pod_mtu(self._store.scan(POOLS), configured=network.get("mtu") or 0)
        report = {
            "computed": installation["spec"],
            "conditions": status.conditions(before, health, installation["metadata"]["generation"], "Ready"),
            "mtu": mtu,
            "variant": "Calico",
        }
        if health.available:
            report["calicoVersion"] = self._config.calico_version
        self._store.patch(INSTALLATIONS, "default", {"status": report}, subresource="status")

    def _report_api_server(self, api_server: Mapping[str, Any], health: Health) -> None:
        generation = api_server["metadata"]["generation"]
        status.write(self._store, "apiserver", health, generation)
        before = (api_server.get("status") or {}).get("conditions") or []
        report: dict[str, Any] = {"conditions": status.conditions(before, health, generation, "Ready")}
        if health.available:
            report["state"] = "Ready"
        self._store.patch(API_SERVERS, "default", {"status": report}, subresource="status")

    def _refuse(self, installation: Mapping[str, Any], health: Health) -> None:
        generation = installation["metadata"]["generation"]
        for name in ("ippools", "calico"):
            status.write(self._store, name, health, generation)
        before = (installation.get("status") or {}).get("conditions") or []
        report = {"conditions": status.conditions(before, health, generation, "Ready")}
        self._store.patch(INSTALLATIONS, "default", {"status": report}, subresource="status")

    def _uninstall(self, installation: Mapping[str, Any]) -> None:
        """Let go of the Installation: its workloads follow their owner, the IP pools stay (calico-facts 7.2)."""
        metadata = {**installation["metadata"], "finalizers": []}
        self._store.update(INSTALLATIONS, {**installation, "metadata": metadata})
        for name in ("calico", "ippools"):
            if self._get(status.STATUSES, name):
                self._store.delete(status.STATUSES, name)

    def _get(self, res: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        try:
            return self._store.get(res, name, namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            return None


def _service_account(name: str, namespace: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    same_network = ipaddress.IPv4Network(before["cidr"]) == ipaddress.IPv4Network(after["cidr"])
    return not same_network or before.get("blockSize") != after["blockSize"]


def _overlay(found: Any, wanted: Any) -> Any:
    """``wanted`` over ``found``: mappings key by key, lists by place; what only the server set is kept."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return {**found, **{key: _overlay(found.get(key), value) for key, value in wanted.items()}}
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        return [_overlay(old, new) for old, new in zip(found, wanted, strict=True)]
    return wanted
