# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab collected in shards by one playbook and judged by another, as it would have been judged at once."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SHARDS = ["shard-1", "shard-2", "shard-3"]
#: Of the lab "ship": shard-3 has no node, and is a shard all the same.
OF_WORKER = "shard-1"
TOKEN = "Bearer of-the-store"
ASKED = {"podnet_provider": "existing", "pod_routing_evidence": ["api", "nodes", "pods"], "pod_routing_pod_selector": "app in (multitool-1)"}
SAME = ("msg", "summary", "results", "findings")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    file = tmp_path_factory.mktemp("inventory") / "shards.json"
    hosts = {"shards": {"hosts": dict.fromkeys(SHARDS), "vars": local}, "vars": {"podnet_shards": SHARDS}}
    file.write_text(json.dumps({"all": {"children": {"shards": hosts["shards"]}, "vars": hosts["vars"]}}))
    return str(file)


@pytest.fixture(scope="module")
def broken(lab):
    """The lab, in which one worker sends the packets for the other's block to the control plane: nobody repairs that."""
    listed = json.loads(lab.on_node("worker", "ip", "-j", "route"))
    routes = [route for route in listed if route.get("gateway") and route["dst"].endswith("/26")]
    route, hops = routes[0], {route["gateway"] for route in routes}
    wrong = next(hop for hop in sorted(hops) if hop != route["gateway"])
    change = ("ip", "route", "replace", route["dst"], "dev", route["dev"], "proto", "80", "onlink", "via")
    lab.on_node("worker", *change, wrong)
    yield lab
    lab.on_node("worker", *change, route["gateway"])


@pytest.fixture(scope="module")
def run(lab, inventory):
    """Run one of the two playbooks on the lab."""

    def play(playbook, *limit, **variables):
        given = {**ASKED, "podnet_lab_name": "shards", "pod_routing_kubeconfig": str(lab.kubeconfig), **variables}
        return lab.stranger.play(f"podnet.calico.{playbook}", "-i", inventory, *limit, variables=given)

    return play


def verdict(run):
    with open(run.published["podnet_verdict_path"], encoding="utf-8") as stream:
        return json.load(stream)


@pytest.fixture(scope="module")
def collected(broken, run, tmp_path_factory):
    """The broken lab in shards in a folder, and what was published of them."""
    folder = tmp_path_factory.mktemp("store")
    ended = run("snapshot", podnet_shards_dir=str(folder), podnet_collection="one")
    assert ended.code == 0, ended.text
    return folder, ended.published


@pytest.fixture(scope="module")
def at_once(collected, run):
    return run("verify")


def test_a_fault_is_found_as_it_is_at_once(collected, at_once, run):
    folder, published = collected
    judged = run("judge", podnet_shards_dir=str(folder), **published)
    assert judged.code == at_once.code == 2
    assert judged.published["podnet_verdict"] == at_once.published["podnet_verdict"] == "failed"
    assert {key: verdict(judged)[key] for key in SAME} == {key: verdict(at_once)[key] for key in SAME}
    assert any(finding["id"] == "blocks.remote-route" for finding in verdict(judged)["findings"])


def test_what_is_published_is_small_and_names_the_file(collected):
    folder, published = collected
    assert set(published) == {"podnet_shard_shard_1", "podnet_shard_shard_2", "podnet_shard_shard_3"}
    assert all(len(json.dumps(entry)) < 500 for entry in published.values())
    assert published["podnet_shard_shard_1"]["path"] == str(folder / "one" / "shard-1.jsonl.gz")
    assert sum(entry["nodes"] for entry in published.values()) == 3


def test_a_shard_whose_file_is_gone_is_inconclusive_by_its_name(collected, run):
    folder, _published = collected
    file = folder / "one" / f"{OF_WORKER}.jsonl.gz"
    kept = file.read_bytes()
    file.unlink()
    try:
        judged = run("judge", podnet_shards_dir=str(folder), podnet_collection="one")
    finally:
        file.write_bytes(kept)
    assert judged.code == 2 and judged.published["podnet_verdict"] in ("failed", "inconclusive")
    told = [finding for finding in verdict(judged)["findings"] if finding["id"] == "shards.whole"]
    assert [finding["subject"]["name"] for finding in told] == [OF_WORKER]
    assert told[0]["message"].startswith(f"shard {OF_WORKER} is missing") and str(file) in told[0]["message"]


def test_where_no_shard_is_there_the_cluster_is_not_asked_and_nothing_is_proved(run, tmp_path):
    judged = run("judge", podnet_shards_dir=str(tmp_path), podnet_collection="never")
    assert judged.code == 2 and judged.published["podnet_verdict"] == "inconclusive"
    assert verdict(judged)["summary"]["passed"] == 0
    assert {finding["subject"]["name"] for finding in verdict(judged)["findings"] if finding["id"] == "shards.whole"} == set(SHARDS)


def test_small_shards_are_published_themselves(broken, run, at_once):
    ended = run("snapshot", podnet_shard_store="artifact", podnet_collection="small")
    assert ended.code == 0, ended.text
    judged = run("judge", **ended.published)
    assert {key: verdict(judged)[key] for key in SAME} == {key: verdict(at_once)[key] for key in SAME}


class Store(BaseHTTPRequestHandler):
    """An object store that keeps what is put, for who has the token."""

    objects: dict[str, bytes] = {}

    def do_PUT(self):
        if self.headers["Authorization"] != TOKEN:
            return self.answer(403)
        self.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        return self.answer(201)

    def do_GET(self):
        found = self.objects.get(self.path) if self.headers["Authorization"] == TOKEN else None
        return self.answer(404 if found is None else 200, found or b"")

    def answer(self, code, body=b""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Nothing."""


@pytest.fixture
def store():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{collection}}/{{shard}}?signature=s3cr3t"
    server.shutdown()
    thread.join()
    server.server_close()


def test_shards_go_by_an_object_store(broken, run, at_once, store):
    where = {"podnet_shard_store": "url", "podnet_shard_url": store, "podnet_shard_url_headers": {"Authorization": TOKEN}}
    ended = run("snapshot", podnet_collection="far", **where)
    assert ended.code == 0, ended.text
    assert set(Store.objects) == {f"/far/{name}?signature=s3cr3t" for name in SHARDS}
    judged = run("judge", **where, **ended.published)
    assert {key: verdict(judged)[key] for key in SAME} == {key: verdict(at_once)[key] for key in SAME}
    assert not [text for text in (ended.text, judged.text) if "s3cr3t" in text or TOKEN in text]


def test_a_store_that_refuses_is_told_without_its_secrets(lab, run, store):
    where = {"podnet_shard_store": "url", "podnet_shard_url": store, "podnet_shard_url_headers": {"Authorization": "wrong"}}
    ended = run("snapshot", "--limit", OF_WORKER, podnet_collection="far", **where)
    assert ended.code == 2 and "403" in ended.text and "podnet_shard_url_headers" in ended.text
    assert "s3cr3t" not in ended.text


def test_a_folder_that_is_not_mounted_is_refused_before_anything_is_asked(lab, run, tmp_path):
    ended = run("snapshot", "--limit", OF_WORKER, podnet_collection="x", podnet_shards_dir=str(tmp_path / "nowhere"))
    assert ended.code == 2 and "mount it" in ended.text and not (tmp_path / "nowhere").exists()
