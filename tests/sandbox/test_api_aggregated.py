# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""projectcalico.org/v3 over TLS, for kubectl and the Python client: one set of objects in two forms, and an API server that may be away."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import podnet_sandbox
import pytest
import yaml
from api_server import ApiServer, kubectl_path
from kubernetes import client, config, dynamic

MANIFESTS = Path(podnet_sandbox.__file__).parent / "manifests"
POOLS, KEPT_POOLS = "/apis/projectcalico.org/v3/ippools", "/apis/crd.projectcalico.org/v1/ippools"
POLICIES = "/apis/projectcalico.org/v3/namespaces/default/networkpolicies"
SERVICE = {"name": "calico-api", "namespace": "calico-apiserver", "port": 443}
API_SERVICE = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v3.projectcalico.org"},
    "spec": {"group": "projectcalico.org", "version": "v3", "groupPriorityMinimum": 1500, "versionPriority": 200, "service": SERVICE},
}
PORT = {"name": "apiserver", "port": 443, "targetPort": 5443, "protocol": "TCP"}
WITH_KUBECTL = pytest.mark.skipif(kubectl_path() is None, reason="kubectl is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        serve_calico(running)
        yield running


def serve_calico(server):
    """The definitions, and what an operator makes that has Calico's API server answer."""
    for definition in yaml.safe_load_all((MANIFESTS / "operator-crds.yaml").read_text()):
        server.create("customresourcedefinitions.apiextensions.k8s.io", definition)
    server.create("namespaces", {"metadata": {"name": "calico-apiserver"}})
    server.create("services", {"metadata": {"name": "calico-api", "namespace": "calico-apiserver"}, "spec": {"ports": [PORT]}})
    server.create("apiservices.apiregistration.k8s.io", API_SERVICE)
    answering(server)
    eventually(lambda: server.get(POOLS).status == 200)


def answering(server, *addresses):
    """Calico's API server has these addresses ('' : none)."""
    found = [{"ip": address} for address in addresses or ("10.0.0.1",) if address]
    subset = {"addresses" if found else "notReadyAddresses": found or [{"ip": "10.0.0.1"}], "ports": [{"name": "apiserver", "port": 5443}]}
    endpoints = {"metadata": {"name": "calico-api", "namespace": "calico-apiserver"}, "subsets": [subset]}
    if server.call(server.store.find, "endpoints", "calico-api", "calico-apiserver"):
        server.call(server.store.update, "endpoints", endpoints)
    else:
        server.create("endpoints", endpoints)


def eventually(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return found


def pool(name, cidr, **spec):
    return {"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "metadata": {"name": name}, "spec": {"cidr": cidr, **spec}}


def availability(server):
    (condition,) = server.get("/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org").body["status"]["conditions"]
    return condition["status"], condition["reason"], condition["message"]


# One object in two forms


def test_what_is_written_in_one_form_is_there_in_the_other_at_the_same_revision(server):
    made = server.post(POOLS, pool("both", "10.10.0.0/24", natOutgoing=True))
    assert made.status == 201
    kept = server.get(f"{KEPT_POOLS}/both").body
    assert kept["metadata"]["resourceVersion"] == made.body["metadata"]["resourceVersion"]
    assert kept["metadata"]["uid"] != made.body["metadata"]["uid"]
    assert "labels" not in kept["metadata"] and kept["spec"] == made.body["spec"]
    server.patch(f"{KEPT_POOLS}/both", {"spec": {"disabled": True}})
    assert server.get(f"{POOLS}/both").body["spec"]["disabled"] is True
    server.patch(f"{POOLS}/both", {"metadata": {"labels": {"a": "b"}}, "spec": {"disabled": False}})
    kept = server.get(f"{KEPT_POOLS}/both").body
    assert "disabled" not in kept["spec"] and "labels" not in kept["metadata"]
    assert json.loads(kept["metadata"]["annotations"]["projectcalico.org/metadata"])["labels"] == {"a": "b"}
    assert [item["metadata"]["name"] for item in server.get(f"{POOLS}?labelSelector=a%3Db").body["items"]] == ["both"]
    server.request("DELETE", f"{POOLS}/both")
    assert server.get(f"{KEPT_POOLS}/both").status == 404


def test_a_watch_of_v3_tells_of_what_is_written_to_v1(server):
    start = server.get(POOLS).body["metadata"]["resourceVersion"]
    lines = []
    path = f"{POOLS}?watch=1&timeoutSeconds=2&resourceVersion={start}"
    watcher = threading.Thread(target=lambda: lines.extend(server.get(path).lines))
    watcher.start()
    kept = {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "watched"}, "spec": {"cidr": "10.11.0.0/24"}}
    uid = server.post(KEPT_POOLS, kept).body["metadata"]["uid"]
    server.patch(f"{KEPT_POOLS}/watched", {"spec": {"disabled": True}})
    server.request("DELETE", f"{KEPT_POOLS}/watched")
    watcher.join()
    assert [line["type"] for line in lines] == ["ADDED", "MODIFIED", "DELETED"]
    assert {line["object"]["apiVersion"] for line in lines} == {"projectcalico.org/v3"}
    assert lines[0]["object"]["spec"]["blockSize"] == 26
    assert uid not in {line["object"]["metadata"]["uid"] for line in lines}


def test_a_collection_is_deleted_by_its_labels(server):
    for index in range(3):
        made = pool(f"many-{index}", f"10.12.{index}.0/24")
        server.post(POOLS, {**made, "metadata": {**made["metadata"], "labels": {"many": "yes" if index else "no"}}})
    assert server.request("DELETE", f"{POOLS}?labelSelector=many%3Dyes").status == 200
    assert [item["metadata"]["name"] for item in server.get(POOLS).body["items"]] == ["many-0"]
    server.request("DELETE", f"{POOLS}/many-0")


def test_a_dry_run_keeps_nothing(server):
    assert server.post(f"{POOLS}?dryRun=All", pool("dry", "10.13.0.0/24")).status == 201
    assert server.get(f"{POOLS}/dry").status == server.get(f"{KEPT_POOLS}/dry").status == 404


def test_a_finalizer_holds_an_object_and_lets_it_go(server):
    made = pool("held", "10.14.0.0/24")
    made["metadata"]["finalizers"] = ["podnet.test/hold"]
    server.post(POOLS, made)
    server.request("DELETE", f"{POOLS}/held")
    assert server.get(f"{POOLS}/held").body["metadata"]["deletionTimestamp"]
    server.patch(f"{POOLS}/held", {"metadata": {"finalizers": None}})
    assert server.get(f"{KEPT_POOLS}/held").status == 404


# What is refused, and how


def refusal(answer):
    return answer.status, answer.body.get("reason"), answer.message


def test_a_pool_that_cannot_be_is_refused_in_calico_s_words(server):
    server.post(POOLS, pool("first", "10.20.0.0/24", blockSize=28))
    path = f"{POOLS}/first"
    assert refusal(server.patch(path, {"spec": {"cidr": "10.21.0.0/24"}})) == (
        422, "Invalid", ' "first" is invalid: IPPool.Spec.CIDR: Invalid value: "10.21.0.0/24": IPPool CIDR cannot be modified',
    )  # fmt: skip
    said = server.patch(path, {"spec": {"blockSize": 27}}).message
    assert said == ' "first" is invalid: IPPool.Spec.BlockSize: Invalid value: 27: IPPool BlockSize cannot be modified'
    assert "Cannot enable both VXLAN and IPIP" in server.patch(path, {"spec": {"ipipMode": "Always", "vxlanMode": "Always"}}).message
    assert "failed to validate Field: VXLANMode because of Tag: vxlanMode" in server.patch(path, {"spec": {"vxlanMode": "Sometimes"}}).message
    for spec, why in (
        ({"cidr": "10.20.0.0/25"}, "IPPool(other) CIDR overlaps with IPPool(first) CIDR 10.20.0.0/24"),
        ({"cidr": "10.22.0.1/24"}, "IPPool CIDR is not strictly masked"),
        ({"cidr": "10.22.0.0/30"}, "IP pool size is too small for use with Calico IPAM"),
        ({"cidr": "169.254.0.0/24"}, "overlaps with IPv4 Link Local range 169.254.0.0/16"),
        ({"cidr": "10.22.0.0/16", "blockSize": 33}, "IPv4 block size must be between 20 and 32"),
        ({"cidr": "nonsense"}, "IPPool CIDR must be a valid subnet"),
        ({"cidr": ""}, "IPPool CIDR must be specified"),
    ):
        answer = server.post(POOLS, pool("other", **spec))
        assert answer.status == 422 and why in answer.message, answer.message
    server.request("DELETE", path)


def test_blocks_of_another_size_are_in_the_way_of_a_pool(server):
    affinity = {"state": "confirmed", "node": "n", "cidr": "10.23.0.0/28", "deleted": "false"}
    server.create("blockaffinities.crd.projectcalico.org", {"metadata": {"name": "n-10-23-0-0-28"}, "spec": affinity})
    said = server.post(POOLS, pool("sized", "10.23.0.0/24")).message
    assert said.endswith("Invalid value: 26: IPPool blocksSize conflicts with existing allocations that use a different blockSize")
    assert server.post(POOLS, pool("sized", "10.23.0.0/24", blockSize=28)).status == 201
    server.request("DELETE", f"{POOLS}/sized")
    server.call(server.store.delete, "blockaffinities.crd.projectcalico.org", "n-10-23-0-0-28")


def test_outdated_missing_and_taken_are_said_of_the_v3_resource(server):
    old = server.post(POOLS, pool("stale", "10.24.0.0/24")).body
    server.patch(f"{KEPT_POOLS}/stale", {"spec": {"natOutgoing": True}})
    answer = server.request("PUT", f"{POOLS}/stale", {**old, "spec": {**old["spec"], "disabled": True}})
    assert refusal(answer)[:2] == (409, "Conflict")
    assert answer.message.startswith('Operation cannot be fulfilled on ippools.projectcalico.org "stale": the object has been modified')
    del old["metadata"]["resourceVersion"]
    assert "metadata.resourceVersion: Invalid value: 0x0: must be specified" in server.request("PUT", f"{POOLS}/stale", old).message
    assert server.post(POOLS, pool("stale", "10.24.0.0/24")).message == 'ippools.projectcalico.org "stale" already exists'
    assert server.get(f"{POOLS}/none").message == 'ippools.projectcalico.org "none" not found'
    server.request("DELETE", f"{POOLS}/stale")


def test_fields_are_checked_against_their_types(server):
    answer = server.post(f"{POOLS}?fieldValidation=Strict", pool("typo", "10.25.0.0/24", sice=1))
    assert answer.status == 400 and 'strict decoding error: unknown field "spec.sice"' in answer.message
    answer = server.post(POOLS, pool("typo", "10.25.0.0/24", blockSize="26"))
    assert answer.status == 400 and "cannot unmarshal string into Go struct field IPPoolSpec.spec.blockSize" in answer.message


def test_affinities_are_read_only(server):
    server.create("blockaffinities.crd.projectcalico.org", {"metadata": {"name": "a"}, "spec": {"node": "n", "cidr": "10.26.0.0/26"}})
    answer = server.request("DELETE", "/apis/projectcalico.org/v3/blockaffinities/a")
    assert (answer.status, answer.message) == (500, "Unable to delete block affinity. Block affinity resources are read-only.")
    server.call(server.store.delete, "blockaffinities.crd.projectcalico.org", "a")


def test_there_is_one_of_some_kinds_and_others_are_refused(server):
    group = "/apis/projectcalico.org/v3"
    config = {"apiVersion": "projectcalico.org/v3", "kind": "IPAMConfiguration", "metadata": {"name": "other"}, "spec": {}}
    said = server.post(f"{group}/ipamconfigurations", config).message
    assert said == 'Cannot create a IPAMConfiguration resource with a name other than "default"'
    made = server.post(f"{group}/ipamconfigurations", {**config, "metadata": {"name": "default"}})
    assert made.body["spec"] == {"strictAffinity": False}
    kept = server.get("/apis/crd.projectcalico.org/v1/ipamconfigs/default").body
    assert (kept["kind"], kept["spec"]) == ("IPAMConfig", {"strictAffinity": False, "autoAllocateBlocks": True})
    bgp = {"apiVersion": "projectcalico.org/v3", "kind": "BGPConfiguration", "metadata": {"name": "node.a"}, "spec": {"asNumber": 64513}}
    assert "Cannot set ASNumber on a non default BGP Configuration." in server.post(f"{group}/bgpconfigurations", bgp).message
    peer = {"apiVersion": "projectcalico.org/v3", "kind": "BGPPeer", "metadata": {"name": "p"}, "spec": {"filters": ["gone"]}}
    assert 'BGPPeer.Spec.Filters: Invalid value: []string{"gone"}: BGPFilter(s) not found' in server.post(f"{group}/bgppeers", peer).message


def test_felix_s_configuration_is_completed(server):
    path = "/apis/projectcalico.org/v3/felixconfigurations"
    felix = {"apiVersion": "projectcalico.org/v3", "kind": "FelixConfiguration", "metadata": {"name": "default"}, "spec": {"vxlanPort": 4790}}
    assert server.post(path, felix).body["spec"] == {
        "bpfConnectTimeLoadBalancing": "TCP", "bpfHostNetworkedNATWithoutCTLB": "Enabled", "bpfLogLevel": "", "floatingIPs": "Disabled",
        "vxlanPort": 4790,
    }  # fmt: skip


def test_a_policy_is_stored_with_a_warning_and_found_by_its_tier(server):
    policy = {"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": {"name": "allow"}, "spec": {"selector": "all()"}}
    answer = server.post(POLICIES, policy)
    assert "is stored and not enforced here" in answer.headers["Warning"]
    assert answer.body["spec"] == {"selector": "all()", "tier": "default", "types": ["Ingress"]}
    assert server.get("/apis/crd.projectcalico.org/v1/namespaces/default/networkpolicies/default.allow").status == 200
    assert [item["metadata"]["name"] for item in server.get(f"{POLICIES}?fieldSelector=spec.tier%3Ddefault").body["items"]] == ["allow"]
    assert server.get(f"{POLICIES}/default.allow").status == 404
    elsewhere = {**policy, "spec": {"tier": "none-such"}}
    assert server.post(POLICIES, {**elsewhere, "metadata": {"name": "none-such.x"}}).status == 404
    server.request("DELETE", f"{POLICIES}/allow")


def test_a_tier_that_holds_policies_stays(server):
    tiers = "/apis/projectcalico.org/v3/tiers"
    tier = {"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": "lab"}}
    assert server.post(tiers, tier).body["spec"] == {"order": 1000000, "defaultAction": "Deny"}
    policy = {"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": {"name": "lab.x"}, "spec": {"tier": "lab"}}
    assert server.post(POLICIES, policy).body["metadata"]["labels"] == {"projectcalico.org/tier": "lab"}
    answer = server.request("DELETE", f"{tiers}/lab")
    assert answer.message == "operation delete is not supported on lab: Cannot delete a non-empty tier"
    server.request("DELETE", f"{POLICIES}/lab.x")
    assert server.request("DELETE", f"{tiers}/lab").status == 200


def test_status_is_written_below_its_object_alone(server):
    path = "/apis/projectcalico.org/v3/kubecontrollersconfigurations"
    made = {"apiVersion": "projectcalico.org/v3", "kind": "KubeControllersConfiguration", "metadata": {"name": "default"}, "spec": {}}
    server.post(path, {**made, "status": {"environmentVars": {"A": "b"}}})
    assert "environmentVars" not in server.get(f"{path}/default").body["status"]
    server.patch(f"{path}/default/status", {"status": {"environmentVars": {"A": "b"}}, "spec": {"healthChecks": "Disabled"}})
    found = server.get(f"{path}/default").body
    assert found["status"]["environmentVars"] == {"A": "b"} and "healthChecks" not in found["spec"]


def test_rights_are_those_of_its_own_group(server):
    server.create("serviceaccounts", {"metadata": {"name": "reader", "namespace": "default"}})
    server.create("clusterroles.rbac.authorization.k8s.io", {
        "metadata": {"name": "pools"}, "rules": [{"apiGroups": ["projectcalico.org"], "resources": ["ippools"], "verbs": ["list"]}],
    })  # fmt: skip
    server.create("clusterrolebindings.rbac.authorization.k8s.io", {
        "metadata": {"name": "pools"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "pools"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "default"}],
    })  # fmt: skip
    token = server.post("/api/v1/namespaces/default/serviceaccounts/reader/token", {"kind": "TokenRequest", "spec": {}}).body["status"]["token"]
    assert server.request("GET", POOLS, token=token).status == 200
    assert server.request("GET", KEPT_POOLS, token=token).status == 403
    refused = server.request("POST", POOLS, pool("mine", "10.27.0.0/24"), token=token)
    assert refused.status == 403 and 'cannot create resource "ippools" in API group "projectcalico.org"' in refused.message


def test_profiles_are_namespaces_and_accounts(server):
    path = "/apis/projectcalico.org/v3/profiles"
    server.create("namespaces", {"metadata": {"name": "shop", "labels": {"team": "a"}}})
    start = server.get("/api/v1/namespaces").body["metadata"]["resourceVersion"]
    found = server.get(f"{path}/kns.shop").body
    labels = {"pcns.kubernetes.io/metadata.name": "shop", "pcns.projectcalico.org/name": "shop", "pcns.team": "a"}
    assert found["spec"]["labelsToApply"] == labels and found["spec"]["ingress"] == [{"action": "Allow", "source": {}, "destination": {}}]
    server.create("serviceaccounts", {"metadata": {"name": "till", "namespace": "shop"}})
    names = [item["metadata"]["name"] for item in server.get(path).body["items"]]
    assert names[0] == "projectcalico-default-allow" and {"kns.default", "kns.shop", "ksa.shop.till"} <= set(names)
    (line,) = server.get(f"{path}?watch=1&timeoutSeconds=1&resourceVersion={start}&fieldSelector=metadata.name%3Dksa.shop.till").lines
    assert (line["type"], line["object"]["spec"]["labelsToApply"]) == ("ADDED", {"pcsa.projectcalico.org/name": "till"})
    assert server.request("DELETE", f"{path}/kns.shop").message == "operation Delete is not supported on Profile(kns.shop)"


# Clients


def test_the_group_stands_before_those_of_custom_resources(server):
    groups = [group["name"] for group in server.get("/apis").body["groups"]]
    assert groups.index("apiregistration.k8s.io") < groups.index("projectcalico.org") < groups.index("crd.projectcalico.org")


@WITH_KUBECTL
def test_kubectl_takes_the_v3_pool_for_the_pool(server):
    manifest = yaml.safe_dump(pool("applied", "10.30.0.0/24", vxlanMode="Always"))
    server.kubectl("api-resources")  # as everything with an old cache of discovery, kubectl would not know of the group yet
    assert server.kubectl("apply", "-f", "-", stdin=manifest).stdout == "ippool.projectcalico.org/applied created\n"
    assert server.kubectl("apply", "-f", "-", stdin=manifest).stdout == "ippool.projectcalico.org/applied unchanged\n"
    assert server.kubectl("get", "ippools").stdout.splitlines()[0].split() == ["NAME", "CREATED", "AT"]
    assert server.kubectl("get", "ippool", "applied", "-o", "jsonpath={.apiVersion} {.spec.vxlanMode}").stdout == "projectcalico.org/v3 Always"
    assert server.kubectl("get", "ippools.crd.projectcalico.org", "applied", "-o", "name").stdout == "ippool.crd.projectcalico.org/applied\n"
    changed = manifest.replace("10.30", "10.31")
    done = server.kubectl("apply", "-f", "-", stdin=changed, check=False)
    assert done.returncode == 1 and "IPPool CIDR cannot be modified" in done.stderr
    more = server.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest.replace("Always", "CrossSubnet"))
    assert more.stdout == "ippool.projectcalico.org/applied serverside-applied\n"
    assert "<[]string>" in server.kubectl("explain", "ippools.spec.allowedUses", "--api-version=projectcalico.org/v3").stdout
    assert server.kubectl("delete", "ippool", "applied").stdout.startswith('ippool.projectcalico.org "applied" deleted')


@WITH_KUBECTL
def test_kubectl_knows_the_short_names(server):
    rows = server.kubectl("api-resources", "--api-group=projectcalico.org", "--no-headers").stdout.splitlines()
    assert len(rows) == 21
    names = {row.split()[0]: row.split()[1] for row in rows}
    assert names["felixconfigurations"] == "felixconfig,felixconfigs" and names["networkpolicies"] == "cnp,caliconetworkpolicy,caliconetworkpolicies"
    server.kubectl("get", "clusterinfo,kcconfig,affinity")


def test_the_python_client_finds_and_changes_it(server):
    api = config.new_client_from_config(str(server.kubeconfig))
    pools = dynamic.DynamicClient(api).resources.get(api_version="projectcalico.org/v3", kind="IPPool")
    pools.create(body=pool("dynamic", "10.32.0.0/24"))
    assert pools.patch(name="dynamic", body={"spec": {"disabled": True}}, content_type="application/merge-patch+json").spec.disabled is True
    custom = client.CustomObjectsApi(api)
    assert custom.get_cluster_custom_object("crd.projectcalico.org", "v1", "ippools", "dynamic")["spec"]["disabled"] is True
    pools.delete(name="dynamic")
    api.close()


# When it is away


@pytest.fixture
def away(server):
    answering(server, "")
    eventually(lambda: availability(server)[0] == "False")
    yield server
    answering(server)
    eventually(lambda: availability(server)[0] == "True")


def test_without_a_ready_endpoint_requests_are_refused_and_the_group_is_stale(away):
    why = 'endpoints for service/calico-api in "calico-apiserver" have no addresses with port name "apiserver"'
    assert availability(away) == ("False", "MissingEndpoints", why)
    for path in (POOLS, "/apis/projectcalico.org/v3"):
        answer = away.get(path)
        assert (answer.status, answer.text) == (503, "service unavailable\n")
    assert away.get(KEPT_POOLS).status == 200
    assert away.get("/apis/projectcalico.org").body["preferredVersion"]["version"] == "v3"
    found = away.get("/apis", Accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList").body["items"]
    (version,) = next(item for item in found if item["metadata"]["name"] == "projectcalico.org")["versions"]
    assert version["freshness"] == "Stale" and len(version["resources"]) == 21


@WITH_KUBECTL
def test_kubectl_falls_back_to_what_it_can_find(away):
    away.create("ippools.crd.projectcalico.org", {"metadata": {"name": "found"}, "spec": {"cidr": "10.40.0.0/24"}})
    assert " projectcalico.org/v3 " not in away.kubectl("api-resources", check=False).stdout
    assert away.kubectl("get", "ippools", "-o", "name").stdout == "ippool.crd.projectcalico.org/found\n"
    away.call(away.store.delete, "ippools.crd.projectcalico.org", "found")


def test_available_again_it_answers_again(server):
    assert availability(server) == ("True", "Passed", "all checks passed")
    assert server.get(POOLS).status == 200


def test_without_its_apiservice_there_is_no_such_group(tmp_path):
    with ApiServer(tmp_path) as running:
        assert running.get(POOLS).status == 404
        serve_calico(running)
        running.request("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org")
        assert running.get(POOLS).status == running.get("/apis/projectcalico.org").status == 404
        running.create("apiservices.apiregistration.k8s.io", {**API_SERVICE, "spec": {**API_SERVICE["spec"], "service": {**SERVICE, "name": "x"}}})
        assert eventually(lambda: availability(running)) == ("False", "ServiceNotFound", 'service/x in "calico-apiserver" is not present')
