# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets of versions that the collection brings, and the files it renders of them for kind and containerlab."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2
import jinja2.nativetypes
import jsonschema
import pytest
import yaml
from ansible.plugins.test.core import search as regex_search
from ansible.plugins.test.core import version_compare
from ansible_collections.podnet.calico.plugins.filter.version_set import version_set
from ansible_collections.podnet.calico.plugins.filter.version_set_errors import version_set_errors

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = yaml.safe_load((ROOT / "roles/lab/vars/versions.yml").read_text())
SETS = VERSIONS["__lab_version_sets"]
SCHEMAS = ROOT / "tests/fixtures/schemas"
LAB = {
    "__lab_file_header": "# header",
    "podnet_lab_name": "pod-routing",
    "podnet_ip_family": "ipv4",
    "podnet_kube_proxy_mode": "iptables",
    "podnet_pod_subnet": "192.168.0.0/16",
    "podnet_service_subnet": "10.96.0.0/16",
    "podnet_workers": 2,
    "kind_api_port": 0,
    "kind_worker_labels": {},
    "kind_control_plane_labels": {},
    "__kind_image": SETS["current"]["kubernetes"]["image"],
    "containerlab_image": SETS["current"]["kubernetes"]["image"],
    "containerlab_management_subnet": "172.20.20.0/24",
    "__containerlab_kubeconfig": "/lab/kubeconfig.kind",
    "__containerlab_version": "0.79.0",
}


def rendered(template: str, schema: str, **changes) -> dict:
    """The template as Ansible renders it, held against the schema."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["to_json"] = json.dumps
    environment.tests["version"] = version_compare
    text = environment.from_string((ROOT / "roles" / template).read_text()).render({**LAB, **changes})
    document = yaml.safe_load(text)
    jsonschema.validate(document, json.loads((SCHEMAS / schema).read_text()))
    return document


def cluster(**changes) -> dict:
    return rendered("kind/templates/no-cni.yaml.j2", "kind-v1alpha4.json", **changes)


def topology(**changes) -> dict:
    return rendered("containerlab/templates/clab.yaml.j2", "containerlab-topology.json", **changes)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_each_set_fits_itself(name, architecture):
    assert version_set_errors(SETS, name, architecture, cgroup=2) == []


def test_the_current_set_needs_cgroup_v2_and_the_others_do_not():
    refused = [name for name in SETS if version_set_errors(SETS, name, "x86_64", cgroup=1)]
    assert refused == ["current"]


@pytest.mark.parametrize("name", SETS)
def test_the_node_image_is_the_one_of_the_table(name):
    kubernetes = SETS[name]["kubernetes"]
    digest = VERSIONS["__lab_node_images"][kubernetes["built_for_kind"]][kubernetes["version"]]
    assert kubernetes["image"] == "kindest/node:%s@sha256:%s" % (kubernetes["version"], digest)


def test_the_images_that_are_kept_are_those_that_a_labs_operator_deploys():
    """What `operator --print-images=listcalico` of v1.42.3 prints (tigera/operator, pkg/components/calico.go and cmd/main.go)."""
    deployed = "cni kube-controllers node typha pod2daemon-flexvol apiserver csi node-driver-registrar goldmane whisker whisker-backend webhooks"
    asked_for = "cni-windows key-cert-provisioner node-windows envoy-gateway envoy-proxy envoy-ratelimit guardian istio-pilot istio-ztunnel"
    printed = [f"quay.io/calico/{name}:v3.32.1" for name in (deployed + " " + asked_for).split()]
    printed += ["quay.io/calico/node:v3.32.1-fips", "quay.io/tigera/operator:v1.42.3"]
    environment = jinja2.nativetypes.NativeEnvironment(undefined=jinja2.StrictUndefined)
    environment.tests["search"] = regex_search
    environment.filters["unique"] = lambda items: list(dict.fromkeys(items))
    known = {
        "__lab_versions": SETS["current"],
        "__lab_operator_image": "quay.io/tigera/operator:v1.42.3",
        "__lab_images_unused": VERSIONS["__lab_images_unused"],
        "__lab_operator_said": {"stdout_lines": ["some line of a log", *printed]},
    }
    images = environment.from_string(VERSIONS["__lab_images"]).render(known)
    others = [SETS["current"][which]["image"] for which in ("kubernetes", "multitool") if which in SETS["current"]]
    assert set(images) == {*others, "quay.io/tigera/operator:v1.42.3", *(f"quay.io/calico/{name}:v3.32.1" for name in deployed.split())}
    assert len(images) == len(set(images))


def test_the_original_set_is_the_original_labs():
    assert (SETS["original"]["kubernetes"]["version"], SETS["original"]["calico"]["version"]) == ("v1.28.0", "v3.30.0")


@pytest.mark.parametrize("name", SETS)
def test_each_file_that_is_obtained_is_named_in_the_set(name):
    """Without its name nobody sees whether a file is pinned or its publisher is trusted."""
    named = {"calicoctl": SETS[name]["calico"]["calicoctl"], "calico_manifests": SETS[name]["calico"]}
    for architecture in ("x86_64", "aarch64"):
        for artefact in version_set(SETS, name, architecture, "/t", package="tar.gz")["artefacts"]:
            part = named.get(artefact["tool"]) or SETS[name][artefact["tool"]]
            assert artefact["file"] in part["files"]


def test_the_table_holds_digests():
    digests = [digest for images in VERSIONS["__lab_node_images"].values() for digest in images.values()]
    assert len(digests) == len(set(digests))
    assert [digest for digest in digests if len(digest) != 64 or set(digest) - set("0123456789abcdef")] == []


def test_the_cluster_has_no_cni_of_its_own_and_every_node_its_image():
    document = cluster()
    assert document["networking"]["disableDefaultCNI"] is True
    assert [node["role"] for node in document["nodes"]] == ["control-plane", "worker", "worker"]
    assert {node["image"] for node in document["nodes"]} == {SETS["current"]["kubernetes"]["image"]}
    assert "apiServerPort" not in document["networking"]


def test_a_port_labels_and_families_are_passed_on():
    document = cluster(
        kind_api_port=6443,
        kind_worker_labels={"rack": "1"},
        kind_control_plane_labels={"rack": "0"},
        podnet_workers=1,
        podnet_ip_family="dual",
        podnet_kube_proxy_mode="none",
    )
    assert document["networking"]["apiServerPort"] == 6443
    assert [node["labels"] for node in document["nodes"]] == [{"rack": "0"}, {"rack": "1"}]


def test_a_field_that_kind_does_not_know_would_be_seen():
    with pytest.raises(jsonschema.ValidationError, match="'disableDefaultCni' was unexpected"):
        jsonschema.validate(
            {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "networking": {"disableDefaultCni": True}},
            json.loads((SCHEMAS / "kind-v1alpha4.json").read_text()),
        )


def test_the_topology_is_one_kind_cluster_that_is_not_waited_for():
    document = topology()
    assert document["name"] == "pod-routing"
    assert document["topology"]["nodes"] == {
        "pod-routing": {
            "kind": "k8s-kind",
            "image": SETS["current"]["kubernetes"]["image"],
            "startup-config": "pod-routing-no-cni.yaml",
            "extras": {"k8s_kind": {"deploy": {"wait": "0s", "kubeconfig": "/lab/kubeconfig.kind"}}},
        }
    }


def test_a_containerlab_that_does_not_know_the_kubeconfig_is_not_given_it():
    deploy = topology(__containerlab_version="0.72.0")["topology"]["nodes"]["pod-routing"]["extras"]["k8s_kind"]["deploy"]
    assert deploy == {"wait": "0s"}


POOL = {
    "name": "default-ipv4-ippool", "cidr": "192.168.0.0/16", "block_size": 26, "encapsulation": "VXLANCrossSubnet", "nat_outgoing": True,
    "node_selector": "all()", "assignment_mode": "Automatic",
}  # fmt: skip


def installation(*pools: dict) -> dict:
    given = {"calico_bgp": "Enabled", "calico_api_server": False, "__calico_pools": [{**POOL, **pool} for pool in pools]}
    return rendered("calico/templates/custom-resources.yaml.j2", "installation.json", **given)


def test_the_operator_is_asked_for_what_it_knows_alone():
    pools = installation({}, {"name": "second", "nat_outgoing": False, "node_selector": 'zone == "b"'})["spec"]["calicoNetwork"]["ipPools"]
    assert [pool["natOutgoing"] for pool in pools] == ["Enabled", "Disabled"]
    assert pools[1]["nodeSelector"] == 'zone == "b"'


RECORDED = sorted((ROOT / "tests/fixtures/real").glob("*/*/api/installations.operator.tigera.io.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: "/".join(path.parts[-4:-2]))
def test_a_recorded_installation_has_the_fields_that_the_lab_sets(path):
    """A real API server removes the fields that it does not know: what is still there, it knows."""
    (item,) = json.loads(path.read_text())["items"]
    pools = item["spec"]["calicoNetwork"]["ipPools"]
    known = json.loads((SCHEMAS / "installation.json").read_text())["properties"]["spec"]["properties"]["calicoNetwork"]
    for pool in pools:
        jsonschema.validate(pool, known["properties"]["ipPools"]["items"])
        assert set(installation({})["spec"]["calicoNetwork"]["ipPools"][0]) == set(pool)
