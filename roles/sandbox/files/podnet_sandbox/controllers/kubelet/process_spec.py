# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Pod to what the kernel room runs: environment resolved, files of the pod put together."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ...api.errors import ApiError
from ...dataplane.kernel import ContainerSpec, PodProcessSpec
from ...images.table import find
from .service_links import service_links

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
#: Where kubeadm puts the cluster's DNS in a service network 10.96.0.0/16: its tenth address.
_DNS_PLACE = 10

Pod = Mapping[str, Any]


class SpecError(Exception):
    """A container that cannot be configured (CreateContainerConfigError); text in the kubelet's words."""


def process_spec(pod: Pod, store: Any, files: Mapping[str, bytes]) -> PodProcessSpec:
    """Everything to run for ``pod``. Raises `SpecError` where a ConfigMap or Secret it needs is missing."""
    return PodProcessSpec(
        namespace=pod["metadata"]["namespace"],
        name=pod["metadata"]["name"],
        hostname=pod["spec"].get("hostname") or pod["metadata"]["name"],
        containers=tuple(_container(pod, container, store) for container in pod["spec"]["containers"]),
        files=files,
    )


def done_by_sandbox(image: str) -> bool:
    """Whether the image's work is the sandbox's own (operator, Typha …): its programme is not there to be run or asked."""
    found = find(image)
    return found is not None and found.entrypoint == "pause"


def pod_files(pod: Pod, address: str, dns: str, ca_certificate: str, token: str) -> dict[str, bytes]:
    """/etc/hosts, resolv.conf and the service account's files, as the kubelet writes them."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    files = {"/etc/hosts": f"127.0.0.1\tlocalhost\n{address}\t{name}\n".encode()}
    if pod["spec"].get("dnsPolicy", "ClusterFirst") != "Default":
        search = f"{namespace}.svc.cluster.local svc.cluster.local cluster.local"
        files["/etc/resolv.conf"] = f"search {search}\nnameserver {dns}\noptions ndots:5\n".encode()
    if pod["spec"].get("automountServiceAccountToken", True):
        files[f"{_ACCOUNT_FOLDER}/namespace"] = namespace.encode()
        files[f"{_ACCOUNT_FOLDER}/ca.crt"] = ca_certificate.encode()
        if token:
            files[f"{_ACCOUNT_FOLDER}/token"] = token.encode()
    return files


def dns_address(service_subnet: str) -> str:
    """The cluster's DNS address, as kubeadm chooses it."""
    return str(ipaddress.IPv4Network(service_subnet)[_DNS_PLACE])


def _container(pod: Pod, container: Mapping[str, Any], store: Any) -> ContainerSpec:
    env = _environment(pod, container, store)
    security = container.get("securityContext") or {}
    own = {} if done_by_sandbox(container["image"]) else container
    return ContainerSpec(
        name=container["name"],
        image=container["image"],
        command=tuple(_expand(word, env) for word in own.get("command") or ()),
        args=tuple(_expand(word, env) for word in own.get("args") or ()),
        env=env,
        working_dir=container.get("workingDir") or "",
        capabilities=tuple((security.get("capabilities") or {}).get("add") or ()),
        privileged=bool(security.get("privileged")),
    )


def _environment(pod: Pod, container: Mapping[str, Any], store: Any) -> dict[str, str]:
    env = service_links(
        store.scan("services"),
        pod["metadata"]["namespace"],
        all_of_namespace=pod["spec"].get("enableServiceLinks", True),
    )
    for source in container.get("envFrom") or ():
        for kind, key in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
            if key in source:
                values = _values(pod, kind, source[key], store)
                env.update({(source.get("prefix") or "") + name: value for name, value in values.items()})
    for entry in container.get("env") or ():
        value = _value_from(pod, container, entry["valueFrom"], store) if entry.get("valueFrom") else entry.get("value")
        if value is not None:
            env[entry["name"]] = _expand(value, env)
    return env


def _expand(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` from ``env``; unknown names stay, ``$$`` is a dollar."""
    return _REFERENCE.sub(lambda m: "$" if m.group(0) == "$$" else env.get(m.group(1), m.group(0)), text)


def _value_from(pod: Pod, container: Mapping[str, Any], source: Mapping[str, Any], store: Any) -> str | None:
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        kind, _ignored, name = source["resourceFieldRef"]["resource"].partition(".")
        return str(((container.get("resources") or {}).get(kind) or {}).get(name, "0"))
    for kind, key in (("configmaps", "configMapKeyRef"), ("secrets", "secretKeyRef")):
        if key in source:
            values = _values(pod, kind, source[key], store)
            wanted = source[key]["key"]
            if wanted not in values and not source[key].get("optional"):
                raise SpecError(f"couldn't find key {wanted} in {_KIND[kind]} {_where(pod, source[key]['name'])}")
            return values.get(wanted)
    return None


_KIND = {"configmaps": "ConfigMap", "secrets": "Secret"}


def _values(pod: Pod, kind: str, reference: Mapping[str, Any], store: Any) -> dict[str, str]:
    try:
        found = store.get(kind, reference["name"], pod["metadata"]["namespace"])
    except ApiError as error:
        if reference.get("optional"):
            return {}
        raise SpecError(f'{_KIND[kind].lower()} "{reference["name"]}" not found') from error
    if kind == "configmaps":
        return dict(found.get("data") or {})
    return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}


def _where(pod: Pod, name: str) -> str:
    return f"{pod['metadata']['namespace']}/{name}"


def _field(pod: Pod, path: str) -> str:
    """The downward API's fields."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    match = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if match:
        return (metadata.get(match.group(1)) or {}).get(match.group(2), "")
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": status.get("hostIP", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": ",".join(entry["ip"] for entry in status.get("podIPs") or ()),
    }
    if path not in known:
        raise SpecError(f"unsupported fieldPath: {path}")
    return str(known[path])
