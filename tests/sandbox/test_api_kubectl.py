# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real kubectl, unmodified."""

from __future__ import annotations

import json
import subprocess
import threading
import time

import pytest
import yaml
from api_server import DEPLOYMENT, POD, ApiServer, kubectl_path

pytestmark = pytest.mark.skipif(kubectl_path() is None, reason="kubectl is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        running.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(POD))
        running.kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=10s")
        yield running


def named(obj, name, **metadata):
    return {**obj, "metadata": {**obj["metadata"], **metadata, "name": name}}


def test_apply_creates_then_changes_then_leaves_alone(server):
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1", "b": "2"}}

    def apply(*more):
        return server.kubectl("apply", *more, "-f", "-", stdin=yaml.safe_dump(manifest)).stdout.strip()

    assert apply() == "configmap/applied created"
    assert apply() == "configmap/applied unchanged"
    del manifest["data"]["b"]
    assert apply() == "configmap/applied configured"
    assert json.loads(server.kubectl("get", "cm", "applied", "-o", "json").stdout)["data"] == {"a": "1"}
    assert apply("--server-side", "--force-conflicts") == "configmap/applied serverside-applied"


def test_apply_refuses_a_field_that_is_not_one(server):
    manifest = yaml.safe_dump({**named(POD, "typo"), "spec": {"containers": [{"name": "c", "image": "i", "imagee": "x"}]}})
    done = server.kubectl("apply", "-f", "-", stdin=manifest, check=False)
    assert done.returncode == 1 and 'strict decoding error: unknown field "spec.containers[0].imagee"' in done.stderr


def test_get_prints_tables(server):
    assert server.kubectl("get", "pods", "a").stdout.splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    wide = server.kubectl("get", "pods", "-o", "wide", "-l", "app=x").stdout.splitlines()
    assert wide[0].split()[5:] == ["IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]
    assert wide[1].split()[:3] == ["a", "1/1", "Running"] and "192.168.0.1" in wide[1]
    assert server.kubectl("get", "pods", "--field-selector", "spec.nodeName=none").stderr.startswith("No resources found")


def test_exec_keeps_streams_and_exit_code_apart(server):
    done = server.kubectl("exec", "a", "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout) == (7, "out\n") and done.stderr.startswith("err\n")


def test_exec_passes_all_of_stdin(server):
    text = "0123456789abcdef" * 40_000
    assert server.kubectl("exec", "-i", "a", "--", "cat", stdin=text).stdout == text


def test_exec_of_an_unknown_command_says_what_the_runtime_said(server):
    done = server.kubectl("exec", "a", "--", "nosuchcmd", check=False)
    assert done.returncode == 1
    assert 'Internal error occurred: exec: "nosuchcmd": executable file not found in $PATH: unknown' in done.stderr


def test_exec_ends_what_a_client_left_behind(server):
    server.kubectl("exec", "a", "--", "sh", "-c", "exit 0")
    before = len(server.runtime.sessions)
    client = threading.Thread(target=lambda: _interrupted_exec(server))
    client.start()
    client.join(20)
    session = server.runtime.sessions[before]
    deadline = time.monotonic() + 10
    while session._process.returncode is None:
        assert time.monotonic() < deadline, "the command outlived its client"
        time.sleep(0.05)


def _interrupted_exec(server):
    command = [kubectl_path(), f"--kubeconfig={server.kubeconfig}", "exec", "a", "--", "sleep", "60"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 10
        before = len(server.runtime.sessions)
        while len(server.runtime.sessions) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()


def test_exec_into_no_container_of_the_pod_is_refused(server):
    done = server.kubectl("exec", "a", "-c", "nosuch", "--", "id", check=False)
    assert done.returncode == 1 and "container nosuch is not valid for pod a" in done.stderr


def test_logs(server):
    assert server.kubectl("logs", "a", "--tail=3").stdout == "c tail=3\nsecond line\n"


def test_label_annotate_patch_and_get_what_was_written(server):
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(named(POD, "marked")))
    assert "labeled" in server.kubectl("label", "pod", "marked", "q=1").stdout
    assert "annotated" in server.kubectl("annotate", "pod", "marked", "x=y").stdout
    assert "patched" in server.kubectl("patch", "pod", "marked", "-p", '{"metadata":{"labels":{"z":"1"}}}').stdout
    patch = '[{"op":"add","path":"/metadata/labels/y","value":"1"}]'
    assert "patched" in server.kubectl("patch", "pod", "marked", "--type=json", "-p", patch).stdout
    labels = json.loads(server.kubectl("get", "pod", "marked", "-o", "json").stdout)["metadata"]["labels"]
    assert labels == {"app": "x", "q": "1", "z": "1", "y": "1"}


def test_wait_sees_a_change_to_come(server):
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(named(POD, "awaited")))
    threading.Timer(0.5, lambda: server.kubectl("label", "pod", "awaited", "now=yes")).start()
    assert "condition met" in server.kubectl("wait", "--for=jsonpath={.metadata.labels.now}=yes", "pod/awaited", "--timeout=10s").stdout
    server.kubectl("delete", "pod", "awaited", "--wait=false")
    server.kubectl("wait", "--for=delete", "pod/awaited", "--timeout=10s")


def test_rollout_status_reads_defaulted_strategies(server):
    daemonset = {**named(DEPLOYMENT, "rolled"), "kind": "DaemonSet"}
    daemonset["spec"] = {key: value for key, value in DEPLOYMENT["spec"].items() if key != "replicas"}
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([named(DEPLOYMENT, "rolled"), daemonset]))
    done = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
    server.call(server.store.patch, "deployments.apps", "rolled", {"status": done}, "default", "status")
    ready = {"observedGeneration": 1, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1}
    server.call(server.store.patch, "daemonsets.apps", "rolled", {"status": ready}, "default", "status")
    assert "successfully rolled out" in server.kubectl("rollout", "status", "deployment/rolled", "--timeout=10s").stdout
    assert "successfully rolled out" in server.kubectl("rollout", "status", "daemonset/rolled", "--timeout=10s").stdout


def test_describe_and_explain(server):
    assert "Service Account:  default" in server.kubectl("describe", "pod", "a").stdout
    assert "terminationGracePeriodSeconds" in server.kubectl("explain", "pod.spec").stdout


def test_scale_and_delete(server):
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(named(DEPLOYMENT, "scaled")))
    server.kubectl("scale", "deployment", "scaled", "--replicas=5")
    assert server.kubectl("get", "deploy", "scaled", "-o", "jsonpath={.spec.replicas}").stdout == "5"
    assert "deleted" in server.kubectl("delete", "deployment", "scaled", "--cascade=foreground", "--timeout=10s").stdout
    assert "NotFound" in server.kubectl("get", "deployment", "scaled", check=False).stderr


def test_a_watch_prints_changes_as_they_come(server):
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(named(POD, "seen")))
    threading.Timer(0.5, lambda: server.kubectl("delete", "pod", "seen")).start()
    done = server.kubectl("get", "pods", "--field-selector=metadata.name=seen", "-w", "--request-timeout=3s", "--output-watch-events", check=False)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]][-1] == "DELETED"


def test_namespaces_go_with_what_is_in_them(server):
    server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gone"}}, named(POD, "p", namespace="gone"),
    ]))  # fmt: skip
    server.kubectl("delete", "namespace", "gone", "--timeout=10s")
    assert "NotFound" in server.kubectl("get", "pod", "p", "-n", "gone", check=False).stderr


def test_api_resources_and_version(server):
    assert "daemonsets" in server.kubectl("api-resources", "--api-group=apps").stdout
    assert json.loads(server.kubectl("version", "-o", "json").stdout)["serverVersion"]["gitVersion"] == "v1.32.13"


def test_imperative_commands_which_send_protobuf(server):
    server.kubectl("create", "namespace", "made")
    server.kubectl("create", "configmap", "made", "--from-literal=a=1")
    server.kubectl("create", "deployment", "made", "--image=i", "--replicas=0", "--port=80")
    server.kubectl("create", "service", "clusterip", "made", "--tcp=80:http")
    server.kubectl("create", "serviceaccount", "made")
    server.kubectl("create", "role", "made", "--verb=get", "--resource=pods")
    server.kubectl("create", "rolebinding", "made", "--role=made", "--serviceaccount=default:made")
    made = json.loads(server.kubectl("get", "deploy,cm,svc", "-o", "json", "--field-selector=metadata.name=made").stdout)["items"]
    deployment, configmap, service = made
    assert deployment["spec"]["replicas"] == 0
    assert deployment["spec"]["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert configmap["data"] == {"a": "1"} and service["spec"]["ports"][0]["targetPort"] == "http"
    account = "--as=system:serviceaccount:default:made"
    assert server.kubectl("auth", "can-i", "get", "pods", account).stdout == "yes\n"
    assert server.kubectl("auth", "can-i", "delete", "pods", account, check=False).stdout == "no\n"
    assert server.kubectl("create", "token", "made").stdout.count(".") == 2


def test_protobuf_that_is_not_read_is_refused_with_a_way_out(server):
    body = b"k8s\0\x0a\x10\x0a\x02v1\x12\x0aComponents\x12\x00"
    answer = server.request("POST", "/api/v1/namespaces/default/configmaps", body, Content_Type="application/vnd.kubernetes.protobuf")
    assert answer.status == 415
    assert "Components cannot be read in this form; send JSON or YAML (kubectl: write a manifest and apply it with -f)" in answer.message


def test_what_nothing_acts_on_is_stored_with_a_warning(server):
    done = server.kubectl("create", "ingress", "nobody", "--rule=example.org/*=svc:80")
    assert done.stdout == "ingress.networking.k8s.io/nobody created\n"
    assert done.stderr == "Warning: Ingress is stored; no ingress controller serves it here\n"
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": {"podSelector": {}}}
    done = server.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(policy))
    assert done.stderr == "Warning: NetworkPolicy is stored and not enforced here: all traffic stays allowed\n"


IMPERATIVE = """
create secret generic i --from-literal=a=1
create secret docker-registry dockerregistry --docker-server=x --docker-username=a --docker-password=b
create service nodeport i-nodeport --tcp=80:8080
create service loadbalancer i-loadbalancer --tcp=80:8080
create service externalname i-external --external-name=example.org
create clusterrole i --verb=get --non-resource-url=/metrics
create clusterrole i-aggregated --aggregation-rule=a=b
create clusterrolebinding i --clusterrole=i --user=bob --group=g
create job i --image=i -- echo hi
create cronjob i --image=i --schedule=0_*_*_*_* -- date
create job i-from --from=cronjob/i
create poddisruptionbudget i --selector=a=b --min-available=1
create priorityclass i --value=5 --description=x
create ingress i --rule=example.org/*=svc:80
create quota i --hard=pods=20 --scopes=BestEffort
create deployment i --image=i --replicas=1 --port=80
run i --image=i --port=80 --env=A=b --labels=a=b --command -- sleep 1
expose deployment i --port=80 --target-port=8080
expose pod i --port=80 --name=i-pod
set image deployment/i i=j:2
set env deployment/i A=B
set resources deployment/i --limits=cpu=1,memory=1Gi
set serviceaccount deployment/i default
set selector service/i-pod x=y
patch deployment i --subresource=scale --type=merge -p {"spec":{"replicas":2}}
wait --for=jsonpath={.spec.replicas}=2 deployment/i --timeout=5s
auth can-i --list
get --raw /livez?verbose
events
delete deployment i --cascade=orphan
""".strip().splitlines()


def test_imperative_commands_are_understood(server):
    for line in IMPERATIVE:
        done = server.kubectl(*(word.replace("_", " ") for word in line.split()), check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"


def test_diff_edit_and_replace(server, tmp_path, monkeypatch):
    manifest = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "edited"}, "data": {"a": "1"}})
    server.kubectl("apply", "-f", "-", stdin=manifest)
    changed = manifest.replace("'1'", "'2'")
    done = server.kubectl("diff", "-f", "-", stdin=changed, check=False)
    assert done.returncode == 1 and '+  a: "2"' in done.stdout
    editor = tmp_path / "editor"
    editor.write_text("""#!/bin/sh\nsed -i 's/a: "1"/a: "3"/' "$1"\n""")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    assert "edited" in server.kubectl("edit", "configmap", "edited").stdout
    assert server.kubectl("get", "configmap", "edited", "-o", "jsonpath={.data.a}").stdout == "3"
    assert "replaced" in server.kubectl("replace", "--force", "-f", "-", stdin=changed).stdout


def test_explain_knows_the_fields_of_what_is_served(server):
    for kind in ("cronjob.spec.jobTemplate.spec", "ingress.spec.rules.http", "storageclass", "crd.spec.versions", "networkpolicy.spec"):
        assert "FIELDS:" in server.kubectl("explain", kind).stdout
    text = server.kubectl("explain", "pod.spec.containers", "--recursive").stdout
    assert "divisor\t<Quantity>" in text and "protocol\t<string>" in text


def test_a_list_is_applied_and_its_objects_are_validated_by_the_server(server):
    """kubectl reads /openapi/v2 for the kind List alone, as `kubectl get -o yaml` writes it."""
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}} for name in ("l1", "l2")]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    assert server.kubectl("apply", "-f", "-", stdin=json.dumps(listed)).stdout == "configmap/l1 created\nconfigmap/l2 created\n"
    items[1]["dato"] = {}
    done = server.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(listed), check=False)
    assert 'unknown field "dato"' in done.stderr
