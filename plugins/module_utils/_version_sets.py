# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of versions held against itself and the lab host, and the files it means (private, pure).

The shape of a set is described in roles/lab/vars/versions.yml.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

#: What the kernel calls the architectures that kind, containerlab and calicoctl are all published for.
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

#: kubelet refuses cgroup v1 by default from here on (kind issue 4077, kubelet's failCgroupV1).
_NEEDS_CGROUP_V2 = (1, 35)
#: The first containerlab whose deploy exits 1 when a node could not be made.
_DEPLOY_SAYS_SO = (0, 75)
#: The Kubernetes minor that Calico's own tests of a release run on (its metadata.mk at v3.30.0, v3.31.7, v3.32.1).
_TESTED_BY_CALICO = {(3, 30): (1, 31), (3, 31): (1, 33), (3, 32): (1, 35)}

_NEEDED = (
    ("kind", "version"),
    ("kubernetes", "version"),
    ("kubernetes", "image"),
    ("kubectl", "version"),
    ("calico", "version"),
)
_NEEDED_BY_CONTAINERLAB = (("containerlab", "version"), ("containerlab", "kind_library"))
_MANIFESTS = {"crds": "operator-crds.yaml", "operator": "tigera-operator.yaml"}
_SHA256 = re.compile(r"^[0-9a-f]{64}$")

#: Where the publishers keep what a set names. {version} as the set has it, {file} the publisher's own file name.
_URLS = {
    "containerlab": "https://github.com/srl-labs/containerlab/releases/download/v{version}/{file}",
    "containerlab_checksums": "https://github.com/srl-labs/containerlab/releases/download/v{version}/checksums.txt",
    "kind": "https://github.com/kubernetes-sigs/kind/releases/download/v{version}/{file}",
    "kind_checksums": "https://github.com/kubernetes-sigs/kind/releases/download/v{version}/{file}.sha256sum",
    "kubectl": "https://dl.k8s.io/release/{version}/bin/{file}",
    "kubectl_checksums": "https://dl.k8s.io/release/{version}/bin/{file}.sha256",
    "calicoctl": "https://github.com/projectcalico/calico/releases/download/{version}/{file}",
    "calicoctl_checksums": "https://github.com/projectcalico/calico/releases/download/{version}/SHA256SUMS",
    "calico_manifests": "https://raw.githubusercontent.com/projectcalico/calico/{version}/manifests/{file}",
}


def url_names() -> List[str]:
    """The names under which a URL template can be given."""
    return sorted(_URLS)


def completed(sets: Mapping[str, Mapping[str, Any]], node_images: Mapping[str, Mapping[str, str]]) -> Dict[str, Dict[str, Any]]:
    """The sets, with the node image of the table where a set names a Kubernetes release and a kind, and no image."""
    found = {}
    for name, one in sets.items():
        one = dict(one, kubernetes=dict(one.get("kubernetes") or {}))
        kubernetes = one["kubernetes"]
        built_for = kubernetes.get("built_for_kind") or _get(one, "kind", "version") or ""
        digest = (node_images.get(built_for) or {}).get(kubernetes.get("version"))
        if digest and not kubernetes.get("image"):
            kubernetes.update(image="kindest/node:%s@sha256:%s" % (kubernetes["version"], digest), built_for_kind=built_for)
        found[name] = one
    return found


def errors(name: str, sets: Mapping[str, Mapping[str, Any]], architecture: str, cgroup: int, containerlab: bool) -> List[str]:
    """Why the set cannot be used on the host, as sentences; none where it can."""
    if name not in sets:
        return ["podnet_versions is '%s', and there is no such set of versions. Take one of: %s" % (name, ", ".join(sorted(sets)))]
    chosen = sets[name]
    needed = _NEEDED + (_NEEDED_BY_CONTAINERLAB if containerlab else ())
    lacking = ["%s.%s" % path for path in needed if not _get(chosen, *path)]
    if lacking:
        return ["The version set '%s' lacks %s: give it in podnet_version_sets" % (name, ", ".join(lacking))]
    found = list(_unreadable(chosen, needed))
    if not found:
        found.extend(_of_the_host(chosen, architecture, cgroup))
        found.extend(_of_the_versions(chosen, containerlab))
    found.extend(_of_the_files(chosen))
    return ["The version set '%s' cannot be used: %s" % (name, one) for one in found]


def notes(chosen: Mapping[str, Any]) -> List[str]:
    """What a person should know of a set that can be used."""
    found = []
    verified = chosen.get("verified")
    if isinstance(verified, Mapping):
        found.append("verified %s: %s" % (verified.get("date"), verified.get("evidence")))
    else:
        found.append("verified: no. Nobody has recorded a run of this set on a real Docker host")
    kubernetes, calico = _version(chosen["kubernetes"]["version"]), _version(chosen["calico"]["version"])
    tested = _TESTED_BY_CALICO.get(calico[:2])
    if tested is None:
        found.append("which Kubernetes Calico %s is tested with is not known here" % chosen["calico"]["version"])
    elif tested != kubernetes[:2]:
        found.append(
            "Calico %s is tested by its makers with Kubernetes %d.%d, not with %s"
            % ((chosen["calico"]["version"],) + tested + (chosen["kubernetes"]["version"],))
        )
    built_for = chosen["kubernetes"].get("built_for_kind")
    if built_for and _version(built_for)[:2] < _version(chosen["kind"]["version"])[:2]:
        found.append(
            "the image of Kubernetes %s was built for kind %s; kind %s supports it as well as it can"
            % (chosen["kubernetes"]["version"], built_for, chosen["kind"]["version"])
        )
    containerlab = _get(chosen, "containerlab", "version")
    if containerlab and _version(containerlab)[:2] < _DEPLOY_SAYS_SO:
        found.append("containerlab %s exits 0 when a deploy fails, so only the containers tell" % containerlab)
    return found


def artefacts(chosen: Mapping[str, Any], architecture: str, urls: Mapping[str, str], package: Optional[str]) -> List[Dict[str, Any]]:
    """The files of a set for an architecture, each with where it comes from, what it must be, and where it goes.

    ``package`` is the form of containerlab: tar.gz, deb or rpm; None leaves containerlab out.
    """
    found = []
    arch = ARCHITECTURES[architecture]
    if package:
        version = chosen["containerlab"]["version"]
        file = "containerlab_%s_linux_%s.%s" % (version, arch, package)
        member = "containerlab" if package == "tar.gz" else ""
        found.append(_artefact("containerlab", chosen["containerlab"], version, file, urls, member=member, name=member or file))
    found.append(_artefact("kind", chosen["kind"], chosen["kind"]["version"], "kind-linux-" + arch, urls))
    kubectl = "linux/%s/kubectl" % arch
    found.append(_artefact("kubectl", chosen["kubectl"], chosen["kubectl"]["version"], kubectl, urls))
    calico = chosen["calico"]
    found.append(_artefact("calicoctl", calico.get("calicoctl") or {}, calico["version"], "calicoctl-linux-" + arch, urls))
    for file in _MANIFESTS.values():
        found.append(_artefact("calico_manifests", calico, calico["version"], file, urls, name=file, mode="0644"))
    return found


def manifests(obtained: List[Mapping[str, Any]]) -> Dict[str, List[Dict[str, str]]]:
    """Calico's manifests of ``artefacts`` in the shape of podnet_lab.calico_manifests: files on the lab host."""
    by_file = {one["file"]: one["path"] for one in obtained if one["tool"] == "calico_manifests"}
    return {part: [{"src": by_file[file]}] for part, file in _MANIFESTS.items()}


def published_checksum(text: str, file: str) -> str:
    """The SHA-256 of ``file`` in a publisher's checksum file; empty where it is not in it.

    kubectl's file is the hash alone; the others hold lines of sha256sum, where a star before the name means binary.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) == 1:
        return lines[0][0].lower() if _SHA256.match(lines[0][0].lower()) else ""
    wanted = file.rsplit("/", 1)[-1]
    for fields in lines:
        if len(fields) == 2 and fields[1].lstrip("*").rsplit("/", 1)[-1] == wanted and _SHA256.match(fields[0].lower()):
            return fields[0].lower()
    return ""


def _artefact(
    tool: str,
    part: Mapping[str, Any],
    version: str,
    file: str,
    urls: Mapping[str, str],
    member: str = "",
    name: str = "",
    mode: str = "0755",
) -> Dict[str, Any]:
    templates = dict(_URLS, **urls)

    def url(key: str) -> str:
        return templates.get(key, "").replace("{version}", version).replace("{file}", file)

    return {
        "tool": tool,
        "version": version,
        "file": file,
        "url": url(tool),
        "checksums_url": url(tool + "_checksums"),
        "sha256": (part.get("files") or {}).get(file, {}).get("sha256", ""),
        "member": member,
        "path": "/".join((tool, version, name or tool)),
        "mode": mode,
    }


def _of_the_host(chosen: Mapping[str, Any], architecture: str, cgroup: int) -> Iterator[str]:
    if architecture not in ARCHITECTURES:
        yield "the lab host is %s, and kind, containerlab and calicoctl are published for amd64 and arm64 only" % architecture
    kubernetes = chosen["kubernetes"]["version"]
    if cgroup == 1 and _version(kubernetes)[:2] >= _NEEDS_CGROUP_V2:
        yield (
            "the kubelet of Kubernetes %s does not start on cgroup v1, which the lab host has. Take a set with Kubernetes 1.34 or "
            "older (podnet_versions: previous), or boot the host with systemd.unified_cgroup_hierarchy=1" % kubernetes
        )


def _of_the_versions(chosen: Mapping[str, Any], containerlab: bool) -> Iterator[str]:
    kubernetes = chosen["kubernetes"]["version"]
    tag = chosen["kubernetes"]["image"].split("@")[0].rpartition(":")[2]
    if tag != kubernetes:
        yield "kubernetes.version is %s and kubernetes.image is of %s" % (kubernetes, tag)
    built_for = chosen["kubernetes"].get("built_for_kind")
    users = [("kind", chosen["kind"]["version"])]
    if containerlab:
        users.append(("containerlab %s embeds kind" % chosen["containerlab"]["version"], chosen["containerlab"]["kind_library"]))
    for who, version in users:
        if built_for and _version(built_for)[:2] > _version(version)[:2]:
            yield "the node image %s was built for kind %s, and %s %s. Take an image of that kind's release" % (
                kubernetes,
                built_for,
                "the set has kind" if who == "kind" else who,
                version,
            )
    skew = _version(chosen["kubectl"]["version"])[:2], _version(kubernetes)[:2]
    if skew[0][0] != skew[1][0] or abs(skew[0][1] - skew[1][1]) > 1:
        yield "kubectl %s is more than one minor away from Kubernetes %s" % (chosen["kubectl"]["version"], kubernetes)
    calicoctl = _get(chosen, "calico", "calicoctl", "version")
    if calicoctl and calicoctl != chosen["calico"]["version"]:
        yield "calicoctl %s refuses a cluster with Calico %s; they must be the same" % (calicoctl, chosen["calico"]["version"])


def _of_the_files(chosen: Mapping[str, Any]) -> Iterator[str]:
    for label, part in _parts(chosen):
        for file, how in (part.get("files") or {}).items():
            if "sha256" in how:
                if not _SHA256.match(str(how["sha256"])):
                    yield "%s.files.%s.sha256 is '%s', expected 64 hexadecimal digits" % (label, file, how["sha256"])
            elif how.get("trust") != "publisher":
                yield "%s.files.%s needs sha256, or trust: publisher" % (label, file)
    for file in _MANIFESTS.values():
        if not _get(chosen, "calico", "files", file, "sha256"):
            yield "calico.files.%s needs sha256: there is no checksum file of it to trust" % file


def _parts(chosen: Mapping[str, Any]) -> Iterator[Tuple[str, Mapping[str, Any]]]:
    for label in ("containerlab", "kind", "kubectl", "calico"):
        yield label, chosen.get(label) or {}
    yield "calico.calicoctl", _get(chosen, "calico", "calicoctl") or {}


def _unreadable(chosen: Mapping[str, Any], needed: Tuple[Tuple[str, str], ...]) -> Iterator[str]:
    paths = [path for path in needed if path[1] != "image"] + [("kubernetes", "built_for_kind")]
    for path in paths:
        value = _get(chosen, *path)
        if value and not re.match(r"^v?\d+\.\d+\.\d+", str(value)):
            yield "%s.%s is '%s', expected a version like 1.2.3" % (path + (value,))


def _get(tree: Any, *path: str) -> Any:
    for key in path:
        tree = (tree or {}).get(key)
    return tree


def _version(text: Any) -> Tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(text))[:3])
