# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Pod to what the kernel room runs: environment resolved, mounts named, the pod's own files."""

from __future__ import annotations

import base64
import functools
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...api.errors import ApiError
from ...dataplane.kernel import ContainerSpec, Mount
from ...images.table import find
from .downward import SpecError, field_text, resource_text
from .service_links import service_links
from .volumes import WRITTEN, kind_of

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
#: Where kubeadm puts the cluster's DNS in a service network 10.96.0.0/16: its tenth address.
_DNS_PLACE = 10

Pod = Mapping[str, Any]


def done_by_sandbox(image: str) -> bool:
    """Whether the image's work is the sandbox's own (operator, Typha …): its programme is not there to be run or asked."""
    return _entrypoint(image) == "pause"


def is_present(image: str) -> bool:
    """Whether the image table has it; what it has not can never be pulled."""
    return _entrypoint(image) is not None


def mounted_volumes(pod: Pod) -> list[Mapping[str, Any]]:
    """The volumes that a container has of its own accord: what the sandbox does itself needs no files, nor does calico-node."""
    wanted = {
        mount["name"]
        for container in _containers(pod)
        if _has_files(container["image"])
        for mount in container.get("volumeMounts") or ()
    }
    return [volume for volume in pod["spec"].get("volumes") or () if volume["name"] in wanted]


def pod_files(pod: Pod, address: str, dns: str) -> dict[str, bytes]:
    """/etc/hosts and resolv.conf, as the kubelet writes them."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    spec = pod["spec"]
    host = spec.get("hostname") or name
    full = f"{host}.{spec['subdomain']}.{namespace}.svc.cluster.local\t" if spec.get("subdomain") else ""
    lines = [f"127.0.0.1\tlocalhost\n{address}\t{full}{host}\n"]
    for alias in spec.get("hostAliases") or ():
        lines.append(f"{alias['ip']}\t" + "\t".join(alias.get("hostnames") or ()) + "\n")
    files = {"/etc/hosts": "".join(lines).encode()}
    if spec.get("dnsPolicy", "ClusterFirst") != "Default":
        search = f"{namespace}.svc.cluster.local svc.cluster.local cluster.local"
        files["/etc/resolv.conf"] = f"search {search}\nnameserver {dns}\noptions ndots:5\n".encode()
    return files


def dns_address(service_subnet: str) -> str:
    """The cluster's DNS address, as kubeadm chooses it."""
    return str(ipaddress.IPv4Network(service_subnet)[_DNS_PLACE])


def container_spec(pod: Pod, container: Mapping[str, Any], store: Any) -> ContainerSpec:
    """Everything to run for ``container``. Raises `SpecError` where a ConfigMap or Secret it needs is missing."""
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
        mounts=tuple(_mounts(pod, container, env)) if _has_files(container["image"]) else (),
        stdin=bool(container.get("stdin")),
        stdin_once=bool(container.get("stdinOnce")),
        tty=bool(container.get("tty")),
    )


def _containers(pod: Pod) -> Iterable[Mapping[str, Any]]:
    return (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"])


def _has_files(image: str) -> bool:
    return _entrypoint(image) not in (None, "pause", "calico-node")


@functools.lru_cache(maxsize=1024)
def _entrypoint(image: str) -> str | None:
    """The image's entrypoint, None for an image that is not there: asked several times for every container."""
    found = find(image)
    return None if found is None else found.entrypoint


def _mounts(pod: Pod, container: Mapping[str, Any], env: Mapping[str, str]) -> Iterable[Mount]:
    """What the kubelet writes, a container cannot write to."""
    written = {volume["name"] for volume in pod["spec"].get("volumes") or () if kind_of(volume) in WRITTEN}
    for mount in container.get("volumeMounts") or ():
        part = mount.get("subPath") or _expand(mount.get("subPathExpr") or "", env)
        yield Mount(mount["name"], mount["mountPath"], part, bool(mount.get("readOnly")) or mount["name"] in written)


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
        return field_text(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_text(container, source["resourceFieldRef"])
    for kind, key in (("configmaps", "configMapKeyRef"), ("secrets", "secretKeyRef")):
        if key in source:
            values = _values(pod, kind, source[key], store)
            wanted = source[key]["key"]
            if wanted not in values and not source[key].get("optional"):
                where = f"{pod['metadata']['namespace']}/{source[key]['name']}"
                raise SpecError(f"couldn't find key {wanted} in {_KIND[kind]} {where}")
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
