# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that do not fit each other, or the host, are refused with the reason; those that fit come with the files they mean."""

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.filter.published_checksum import published_checksum
from ansible_collections.podnet.calico.plugins.filter.version_set import version_set
from ansible_collections.podnet.calico.plugins.filter.version_set_errors import version_set_errors

A, B = "a" * 64, "b" * 64
SOUND = {
    "verified": False,
    "containerlab": {"version": "0.79.0", "kind_library": "0.31.0", "files": {"containerlab_0.79.0_linux_amd64.tar.gz": {"sha256": A}}},
    "kind": {"version": "0.31.0", "files": {"kind-linux-amd64": {"trust": "publisher"}}},
    "kubernetes": {"version": "v1.35.0", "image": "kindest/node:v1.35.0@sha256:" + A, "built_for_kind": "0.31.0"},
    "kubectl": {"version": "v1.35.0"},
    "calico": {"version": "v3.32.1", "files": {"operator-crds.yaml": {"sha256": A}, "tigera-operator.yaml": {"sha256": B}}},
}
HOST = {"architecture": "x86_64", "cgroup": 2}


def changed(**changes) -> dict:
    """The sound set with the keys of its parts changed; a path is written with two underscores."""
    one = copy.deepcopy(SOUND)
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = one
        for parent in parents:
            part = part.setdefault(parent, {})
        part[last] = value
    return {"mine": one}


def errors(sets: dict, **host) -> list:
    return version_set_errors(sets, "mine", **{**HOST, **host})


def chosen(sets: dict, **options) -> dict:
    return version_set(sets, "mine", "x86_64", "/opt/podnet", **options)


def test_a_sound_set_has_no_errors():
    assert errors(changed()) == []


def test_an_unknown_set_lists_the_known_ones():
    assert version_set_errors({"one": SOUND, "two": SOUND}, "three", **HOST) == [
        "podnet_versions is 'three', and there is no such set of versions. Take one of: one, two"
    ]


def test_what_a_set_lacks_is_named_all_at_once():
    assert errors({"mine": {}}) == [
        "The version set 'mine' lacks kind.version, kubernetes.version, kubernetes.image, kubectl.version, calico.version, "
        "containerlab.version, containerlab.kind_library: give it in podnet_version_sets"
    ]


def test_kind_alone_needs_no_containerlab():
    sets = changed()
    del sets["mine"]["containerlab"]
    assert errors(sets, containerlab=False) == []


@pytest.mark.parametrize(
    ("changes", "host", "reason"),
    [
        ({}, {"cgroup": 1}, "the kubelet of Kubernetes v1.35.0 does not start on cgroup v1, which the lab host has"),
        (
            {},
            {"architecture": "riscv64"},
            "the lab host is riscv64, and kind, containerlab and calicoctl are published for amd64 and arm64",
        ),
        (
            {"containerlab__kind_library": "0.30.0"},
            {},
            "the node image v1.35.0 was built for kind 0.31.0, and containerlab 0.79.0 embeds kind 0.30.0",
        ),
        ({"kind__version": "0.30.0"}, {}, "the node image v1.35.0 was built for kind 0.31.0, and the set has kind 0.30.0"),
        ({"kubernetes__version": "v1.34.3"}, {}, "kubernetes.version is v1.34.3 and kubernetes.image is of v1.35.0"),
        ({"kubectl__version": "v1.33.0"}, {}, "kubectl v1.33.0 is more than one minor away from Kubernetes v1.35.0"),
        ({"calico__calicoctl__version": "v3.31.7"}, {}, "calicoctl v3.31.7 refuses a cluster with Calico v3.32.1"),
        ({"kind__version": "latest"}, {}, "kind.version is 'latest', expected a version like 1.2.3"),
        ({"kind__files": {"kind-linux-amd64": {}}}, {}, "kind.files.kind-linux-amd64 needs sha256, or trust: publisher"),
        ({"kind__files": {"kind-linux-amd64": {"sha256": "beef"}}}, {}, "sha256 is 'beef', expected 64 hexadecimal digits"),
        (
            {"calico__files": {"operator-crds.yaml": {"sha256": A}}},
            {},
            "calico.files.tigera-operator.yaml needs sha256: there is no checksum file of it to trust",
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_reason(changes, host, reason):
    (error,) = errors(changed(**changes), **host)
    assert error.startswith("The version set 'mine' cannot be used: ")
    assert reason in error


def test_kubernetes_1_34_starts_on_cgroup_v1():
    sets = changed(
        kubernetes={"version": "v1.34.3", "image": "kindest/node:v1.34.3", "built_for_kind": "0.31.0"}, kubectl={"version": "v1.34.3"}
    )
    assert errors(sets, cgroup=1) == []


def test_a_kubectl_one_minor_away_is_no_error():
    assert errors(changed(kubectl={"version": "v1.34.9"})) == []


def test_something_else_than_sets_is_refused():
    with pytest.raises(AnsibleFilterError, match="got list"):
        version_set_errors([], "mine", **HOST)


def test_a_set_without_an_image_has_the_one_of_the_table():
    sets = changed(kubernetes={"version": "v1.35.0"})
    table = {"0.31.0": {"v1.35.0": B}}
    assert version_set_errors(sets, "mine", node_images=table, **HOST) == []
    kubernetes = chosen(sets, node_images=table)["kubernetes"]
    assert kubernetes["image"] == "kindest/node:v1.35.0@sha256:" + B
    assert kubernetes["built_for_kind"] == "0.31.0"


def test_a_release_that_is_not_in_the_table_needs_an_image():
    (error,) = version_set_errors(changed(kubernetes={"version": "v1.35.9"}), "mine", node_images={"0.31.0": {}}, **HOST)
    assert "lacks kubernetes.image" in error


def test_a_set_that_nobody_ran_says_so():
    assert chosen(changed())["notes"] == ["verified: no. Nobody has recorded a run of this set on a real Docker host"]


def test_a_set_that_was_run_says_when_and_how():
    sets = changed(verified={"date": "2026-11-23", "evidence": "make site on Debian 13"})
    assert chosen(sets)["notes"] == ["verified 2026-11-23: make site on Debian 13"]


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"calico__version": "v3.30.7"}, "Calico v3.30.7 is tested by its makers with Kubernetes 1.31, not with v1.35.0"),
        ({"calico__version": "v3.29.0"}, "which Kubernetes Calico v3.29.0 is tested with is not known here"),
        ({"kubernetes__built_for_kind": "0.20.0"}, "was built for kind 0.20.0; kind 0.31.0 supports it as well as it can"),
        ({"containerlab__version": "0.74.3"}, "containerlab 0.74.3 exits 0 when a deploy fails"),
    ],
)
def test_what_may_not_work_is_a_note_and_no_error(changes, note):
    assert errors(changed(**changes)) == []
    assert any(note in one for one in chosen(changed(**changes))["notes"])


def test_each_file_has_its_place_its_source_and_its_checksum():
    found = {one["file"]: one for one in chosen(changed(), package="tar.gz")["artefacts"]}
    assert found["containerlab_0.79.0_linux_amd64.tar.gz"] == {
        "tool": "containerlab",
        "version": "0.79.0",
        "file": "containerlab_0.79.0_linux_amd64.tar.gz",
        "url": "https://github.com/srl-labs/containerlab/releases/download/v0.79.0/containerlab_0.79.0_linux_amd64.tar.gz",
        "checksums_url": "https://github.com/srl-labs/containerlab/releases/download/v0.79.0/checksums.txt",
        "sha256": A,
        "member": "containerlab",
        "path": "/opt/podnet/containerlab/0.79.0/containerlab",
        "mode": "0755",
    }
    assert found["linux/amd64/kubectl"]["url"] == "https://dl.k8s.io/release/v1.35.0/bin/linux/amd64/kubectl"
    assert found["linux/amd64/kubectl"]["path"] == "/opt/podnet/kubectl/v1.35.0/kubectl"
    assert found["kind-linux-amd64"]["sha256"] == ""
    assert found["operator-crds.yaml"]["mode"] == "0644"
    assert sorted(one["tool"] for one in found.values()) == ["calico_manifests"] * 2 + ["calicoctl", "containerlab", "kind", "kubectl"]


def test_a_package_is_kept_whole():
    (package,) = [one for one in chosen(changed(), package="deb")["artefacts"] if one["tool"] == "containerlab"]
    assert package["member"] == ""
    assert package["path"] == "/opt/podnet/containerlab/0.79.0/containerlab_0.79.0_linux_amd64.deb"


def test_without_a_package_there_is_no_containerlab():
    assert [one for one in chosen(changed())["artefacts"] if one["tool"] == "containerlab"] == []


def test_another_architecture_means_other_files():
    files = [one["file"] for one in version_set(changed(), "mine", "aarch64", "/opt", package="tar.gz")["artefacts"]]
    assert files[:4] == ["containerlab_0.79.0_linux_arm64.tar.gz", "kind-linux-arm64", "linux/arm64/kubectl", "calicoctl-linux-arm64"]


def test_a_mirror_takes_the_publishers_place():
    (kind,) = [one for one in chosen(changed(), urls={"kind": "http://mirror/{version}/{file}"})["artefacts"] if one["tool"] == "kind"]
    assert kind["url"] == "http://mirror/0.31.0/kind-linux-amd64"


def test_a_mirror_of_nothing_is_refused():
    with pytest.raises(AnsibleFilterError, match="podnet_download_urls has kimd, which nothing is downloaded by"):
        chosen(changed(), urls={"kimd": "http://mirror"})


def test_calicos_manifests_are_the_files_on_the_host():
    assert chosen(changed())["calico_manifests"] == {
        "crds": [{"src": "/opt/podnet/calico_manifests/v3.32.1/operator-crds.yaml"}],
        "operator": [{"src": "/opt/podnet/calico_manifests/v3.32.1/tigera-operator.yaml"}],
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (A, A),
        (A + "\n", A),
        (f"{B}  kind-linux-arm64\n{A}  kind-linux-amd64\n", A),
        (f"{A} *kind-linux-amd64\n", A),
        (f"{A}  ./dist/kind-linux-amd64\n", A),
        (A.upper() + "  kind-linux-amd64\n", A),
        (f"{B}  kind-linux-arm64\n", ""),
        (f"{B}  xkind-linux-amd64\n", ""),
        ("<html>Not Found</html>", ""),
        ("Not Found: kind-linux-amd64", ""),
        ("", ""),
    ],
)
def test_a_publishers_checksum_file_is_read_in_its_forms(text, expected):
    assert published_checksum(text, "dist/kind-linux-amd64") == expected
