# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on a living cluster in bad weather: what passes is waited for, what stays is named, and nothing is believed unseen."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import weather as bad
from aiohttp import web
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from weather import Weather, always, happens, once, prints, says

CALICO = "/apis/crd.projectcalico.org/v1"
PODS = "/api/v1/pods"
BRIEF = "brief"
#: Of one command, where the test is that it does not end; of all that one collection takes, where it is that all of it does not.
SHORT = 3.0


@pytest.fixture(scope="module")
def weather(lab, tmp_path_factory):
    with Weather(lab.kubeconfig, tmp_path_factory.mktemp("weather")).running() as weather:
        yield weather


@pytest.fixture
def door(lab):
    """The exec of calico-node on the first worker."""
    return lambda: f"/api/v1/namespaces/calico-system/pods/{agent(lab)}/exec"


def agent(lab) -> str:
    listed = json.loads(lab.kubectl("get", "pods", "-n", "calico-system", "-l", "k8s-app=calico-node", "-o", "json"))["items"]
    (name,) = [pod["metadata"]["name"] for pod in listed if pod["spec"]["nodeName"] == f"{lab.name}-worker"]
    return name


def seen(weather, **limits):
    """The verdict on the cluster through the weather, and the snapshot it is on."""
    snapshot = collect(connect({"kubeconfig": str(weather.kubeconfig)}, Limits(**limits)), EVIDENCE)
    return judge(snapshot), snapshot


def headlines(verdict):
    return [finding for finding in verdict.findings if finding.cause is None]


def test_in_good_weather_nothing_is_found(weather):
    verdict, snapshot = seen(weather)
    assert verdict.findings == (), [finding.actual for finding in headlines(verdict)]
    assert verdict.summary["passed"] > 90
    assert snapshot.header.server == weather.kubeconfig.read_text().split("server: ")[1].split()[0]


# -- what passes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spell",
    [says(429, "too many requests", **{"Retry-After": "1"}), says(500, "etcdserver: leader changed"), says(503, "starting"), bad.hangs_up],
    ids=["busy", "ill", "starting", "cut"],
)
def test_what_fails_once_is_asked_again(weather, spell):
    with weather.spell(once(CALICO + "/*", spell), once("/api/v1/*", spell)):
        verdict, _snapshot = seen(weather)
        asked = {path: times for path, times in weather.asked.items() if path.startswith(CALICO + "/")}
    assert verdict.findings == ()
    assert asked and all(times >= 3 for times in asked.values()), asked  # in vain, the first look, the second


def test_long_lists_are_read_in_pages_and_from_the_start_when_they_expire(weather):
    expired = []

    async def pages_of_two(passing: Weather, request: web.Request):
        if "limit" not in request.query:
            return None
        if request.path == PODS and "continue" in request.query and not expired:
            expired.append(request.query["continue"])
            return bad.status(410, "the provided continue parameter is too old")
        return await passing.pass_on(request, {**request.query, "limit": "2"})

    with weather.spell(pages_of_two):
        verdict, snapshot = seen(weather)
        assert weather.asked[PODS] > len(snapshot.pods) / 2
    assert verdict.findings == () and expired


# -- what stays -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spell", "words"),
    [(says(503, "the etcd cluster is gone"), "the etcd cluster is gone"), (bad.is_a_login_page, "answered something that is not JSON")],
    ids=["ill", "login"],
)
def test_a_list_that_cannot_be_had_is_one_headline_and_no_fault(weather, spell, words):
    with weather.spell(always(CALICO + "/ipamblocks", spell)):
        verdict, _snapshot = seen(weather)
    (headline,) = headlines(verdict)
    assert (headline.id, headline.outcome) == ("api.observed", "inconclusive")
    assert words in headline.actual and headline.consequences
    assert verdict.failed and verdict.summary["failed"] == 0 and verdict.summary["passed"] > 0


def test_a_list_that_comes_a_byte_at_a_time_ends_at_the_deadline(weather):
    with weather.spell(always(CALICO + "/ipamblocks", bad.trickles)):
        verdict, _snapshot = seen(weather, deadline=SHORT)
    assert verdict.failed and verdict.summary["failed"] == 0 and verdict.summary["passed"] > 0
    (headline,) = headlines(verdict)
    assert headline.actual.startswith("the deadline of 3 s passed before all was read; not read: 3 of 3 nodes")
    assert "ipamblocks" in headline.actual and headline.consequences


def test_a_node_that_is_not_read_in_time_is_one_headline_of_the_deadline(lab, weather, door):
    with weather.spell(always(door(), bad.is_silent)):
        verdict, snapshot = seen(weather, deadline=SHORT, exec_timeout=60)
    (headline,) = headlines(verdict)
    assert headline.actual == "the deadline of 3 s passed before all was read; not read: 1 of 3 nodes, what changed meanwhile"
    assert any(f"nodes.observed {lab.name}-worker" in one for one in headline.consequences)
    assert verdict.failed and verdict.summary["failed"] == 0
    assert sum(bool(node.facts.routes) for node in snapshot.nodes) == 2


def test_an_api_that_goes_away_while_commands_run_leaves_what_was_read(weather, door):
    gone = []

    async def away(_passing: Weather, request: web.Request):
        if bad.is_exec(request):
            gone.append(request.path)
        elif gone:
            return bad.cut(request, web.Response())
        return None

    with weather.spell(away):
        verdict, snapshot = seen(weather)
    assert all(node.facts.routes for node in snapshot.nodes)
    (headline,) = headlines(verdict)
    assert headline.id == "api.observed" and "changes: the lists could not be read again" in headline.actual
    assert verdict.summary["failed"] == 0 and verdict.summary["passed"] > 90


@pytest.mark.parametrize(
    ("spell", "words"),
    [
        (says(403, "denied by admission webhook"), "was refused: denied by admission webhook"),
        (bad.breaks_off, "the connection to the API server failed"),
        (bad.is_silent, "did not end within 3 s"),
        (prints(b"x" * (1 << 16)), "printed more than 67108864 bytes"),
        (prints(b"\xff\xfe\x00" * (1 << 14), 1000), "printed nothing of what was asked"),
    ],
    ids=["refused", "killed", "silent", "endless", "50 MB of noise"],
)
def test_a_node_that_cannot_be_read_is_one_headline_and_the_others_are_judged(lab, weather, door, spell, words):
    with weather.spell(always(door(), spell)):
        verdict, snapshot = seen(weather, exec_timeout=SHORT if spell is bad.is_silent else 15.0)
    (headline,) = headlines(verdict)
    assert (headline.id, headline.node, headline.outcome) == ("nodes.observed", f"{lab.name}-worker", "inconclusive")
    assert words in headline.actual, headline.actual
    assert verdict.failed and verdict.summary["failed"] == 0
    assert [node.name for node in snapshot.nodes if node.facts.routes] == [f"{lab.name}-control-plane", f"{lab.name}-worker2"]


def test_output_that_is_no_text_spoils_one_piece_of_evidence(lab, weather, door):
    with weather.spell(always(door(), bad.garbles(b'"dst":"default"', b'"dst":"\xff\xfe\x1b[31m"'))):
        verdict, snapshot = seen(weather)
    (worker,) = [node for node in snapshot.nodes if node.name == f"{lab.name}-worker"]
    assert [gap.what for gap in worker.facts.unobserved] == ["routes"] and worker.facts.links
    assert [finding.id for finding in headlines(verdict)] == ["nodes.observed"] and verdict.summary["failed"] == 0
    assert all(finding.message.isprintable() for finding in verdict.findings)


def test_a_certificate_of_tomorrow_is_a_matter_of_clocks(lab, tmp_path):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with Weather(lab.kubeconfig, tmp_path, tomorrow).running() as early, pytest.raises(PodnetError) as raised:
        seen(early)
    assert "not yet valid" in raised.value.message and "clock" in (raised.value.remedy or "")


# -- a cluster that does not keep still -------------------------------------------------------------------------------


def runs(lab, name):
    lab.kubectl("run", name, "--image=wbitt/network-multitool:3.22.2", "--overrides", json.dumps({"spec": {"nodeName": f"{lab.name}-worker"}}))
    lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def ends(lab, name):
    lab.kubectl("delete", "pod", name, "--ignore-not-found", "--wait")


@pytest.fixture
def brief(lab):
    yield BRIEF
    ends(lab, BRIEF)


def test_a_pod_that_goes_while_its_node_is_read_is_read_again_without_it(lab, weather, door, brief):
    runs(lab, brief)
    with weather.spell(once(door(), happens(lambda: ends(lab, brief)))):
        verdict, snapshot = seen(weather)
    assert verdict.findings == () and brief not in {pod.name for pod in snapshot.pods}


def test_a_pod_that_comes_while_its_node_is_read_is_judged(lab, weather, door, brief):
    with weather.spell(once(door(), happens(lambda: runs(lab, brief)))):
        verdict, snapshot = seen(weather)
    assert verdict.findings == ()
    assert [pod.name for pod in snapshot.pods if pod.name == brief and pod.facts.routes] == [brief]


def test_a_pod_that_comes_and_goes_again_is_in_doubt_and_nothing_else(lab, weather, door, brief):
    events = [lambda: runs(lab, brief), lambda: ends(lab, brief)]

    async def comes_and_goes(_passing: Weather, request: web.Request):
        if request.path == door() and events:
            await asyncio.to_thread(events.pop(0))

    with weather.spell(comes_and_goes):
        verdict, snapshot = seen(weather)
    (headline,) = headlines(verdict)
    assert (headline.id, headline.outcome) == ("api.observed", "inconclusive")
    assert "changed while being read" in headline.actual and f"Pod default/{brief}" in headline.actual
    assert {change.name for change in snapshot.header.changed if change.kind == "Pod"} == {brief}
    assert verdict.summary["failed"] == 0 and verdict.summary["passed"] > 90


def test_a_calico_node_that_starts_anew_while_it_is_asked_is_asked_again(lab, weather, door):
    old = agent(lab)

    def restart():
        lab.kubectl("delete", "pod", "-n", "calico-system", old, "--wait")
        lab.kubectl("rollout", "status", "-n", "calico-system", "daemonset/calico-node", "--timeout=90s")

    with weather.spell(once(door(), happens(restart))):
        verdict, snapshot = seen(weather)
    (worker,) = [node for node in snapshot.nodes if node.name == f"{lab.name}-worker"]
    assert worker.calico_node_pod == f"calico-system/{agent(lab)}" != f"calico-system/{old}"
    assert worker.facts.routes and worker.facts.unobserved == ()
    assert [finding for finding in headlines(verdict) if finding.outcome != "warning"] == []


# -- by the playbook --------------------------------------------------------------------------------------------------


def test_the_playbook_ends_at_the_deadline_and_the_snapshot_it_kept_is_judged_again_by_the_line_it_printed(lab, weather, door, stranger):
    limits = {"pod_routing_deadline": SHORT, "pod_routing_exec_timeout": 60, "pod_routing_wait": 0}
    with weather.spell(always(door(), bad.is_silent)):
        run = stranger.play(
            "podnet.calico.verify", variables={"podnet_provider": "existing", **limits}, KUBECONFIG=str(weather.kubeconfig)
        )
    assert run.code == 2 and "the deadline of 3 s passed" in run.fault
    summary = run.published["podnet_summary"]
    assert summary["failed"] == 0 and summary["inconclusive"] > 0 and summary["passed"] > 0
    assert "1 of 3 nodes, what changed meanwhile" in run.fault and "(and " not in run.fault
    (line,) = set(re.findall(r"ansible-playbook podnet\.calico\.verify -e '[^']+'", run.text.replace('\\"', '"')))
    again = subprocess.run(
        ["bash", "-c", line], cwd=stranger.folder, env=stranger.environment(ANSIBLE_SHOW_CUSTOM_STATS="true"),
        text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert again.returncode == 2, again.stdout + again.stderr
    assert json.dumps(summary, sort_keys=True) in json.dumps(_stats(again.stdout), sort_keys=True)


def _stats(text: str) -> dict:
    """The custom stats at the end of the default callback's output."""
    found = re.search(r"\"podnet_summary\": (\{[^}]*\})", text)
    assert found, text
    return json.loads(found[1])
