# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports: every format says the verdict, what is wrong and what to do; whatever a cluster is called, it stays text."""

from __future__ import annotations

import functools
import html.parser
import json
import re
from xml.etree import ElementTree

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Probe, Unobserved
from ansible_collections.podnet.calico.plugins.module_utils._report import FORMATS, about, render, screen
from ansible_collections.podnet.calico.plugins.module_utils._report.combined import PAGES, by_cause, combine
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    LAB,
    SCENARIOS,
    recording,
    text,
    with_facts,
    without_route,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.test_refused_lists import without

WORKER, BLOCK2 = "pod-routing-worker", "192.168.112.192/26"
EVIL = '<script>alert(1)</script>"\'&`|\x1b[31m\x00'


class Page(html.parser.HTMLParser):
    """Tags, text and addresses of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.sources, self.links, self.ids = [], [], [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href"):
                (self.links if (tag, name) == ("a", "href") else self.sources).append(value)
            if name == "id":
                self.ids.add(value)
            assert not name.startswith("on"), "no event handlers"

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def broken():
    return without_route(recording(), WORKER, BLOCK2)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_each_format_tells_what_is_wrong_and_what_to_do(name):
    snapshot = broken()
    output = render([judge(snapshot)], name, snapshot)
    plain = Page(output).text if name == "html" else output.replace("\\", "")
    for words in (WORKER, BLOCK2, "has no route to", "Felix", "blocks.remote-route", "no route"):
        assert words in plain, words


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_same_verdict_makes_the_same_document(name):
    assert render([judge(broken())], name, broken()) == render([judge(broken())], name, broken())


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="pdf"):
        render([judge(recording())], "pdf")
    with pytest.raises(ValueError, match="no verdict"):
        render([], "html")


def test_several_verdicts_are_one_document():
    routes = judge(recording(), checks=["blocks.*"])
    paths = judge(broken(), checks=["paths.*"])
    combined = json.loads(render([routes, paths], "json"))
    assert combined["failed"]
    assert combined["summary"]["total"] == routes.summary["total"] + paths.summary["total"]


# -- html -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_page_is_the_lesson_with_each_exercise(scenario):
    snapshot = recording(scenario)
    page = Page(render([judge(snapshot)], "html", snapshot))
    for number in ("1", "2", "3.1, 3.2", "3.3", "4.1", "4.2", "4.3", "4.4", "IPAM"):
        assert "e" + "".join(c if c.isalnum() else "-" for c in number) in page.ids
    assert "default via 169.254.1.1 dev eth0" in page.text


def test_the_lesson_has_this_clusters_commands_and_outputs():
    ping = text(LAB, "probes/ping-cross-node.txt").split("\n", 2)[2]
    capture = text(LAB, "probes/tcpdump-cross-node.txt").split("\n", 2)[2]
    far = Probe(
        "default/multitool", "default/multitool-1-wnszh", "192.168.93.193", "192.168.112.197", WORKER, "pod-routing-worker2", 4,
        ping_output=ping, capture_output=capture,
    )  # fmt: skip
    snapshot = recording()._replace(probes=(far,))
    page = Page(render([judge(snapshot)], "html", snapshot)).text
    assert "kubectl exec -n default multitool -- ping -c 4 192.168.112.197" in page
    assert "64 bytes from 192.168.112.197: icmp_seq=1 ttl=62 time=0.130 ms" in page
    assert "192.168.93.193 > 192.168.112.197: ICMP echo request, id 121, seq 1" in page
    assert "192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink" in page
    assert "192.168.112.197 dev calibad51add47d scope link" in page


def test_the_page_loads_nothing_runs_nothing_and_every_link_has_its_place():
    page = Page(render([judge(broken())], "html", broken()))
    assert "script" not in page.tags and not page.sources
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert {link for link in page.links if not link.startswith("#")} == {PAGES + "docs/checks/blocks.remote-route.md"}


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_a_finding_leads_to_its_checks_page_and_nowhere_else(name):
    verdict = judge(broken())
    assert f"{PAGES}docs/checks/blocks.remote-route.md" in render([verdict], name)
    for page in ("javascript:alert(1)", "https://evil.example/", "docs/checks/../../x.md", "docs/checks/x.md)", ""):
        elsewhere = verdict._replace(findings=tuple(finding._replace(doc=page) for finding in verdict.findings))
        assert PAGES not in render([elsewhere], name) and "evil.example" not in render([elsewhere], name)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_what_a_cluster_is_called_stays_text(name):
    def evil(rows):
        return tuple(row._replace(gateway=EVIL) if row.dst == BLOCK2 else row for row in rows)

    snapshot = with_facts(recording(), WORKER, routes=evil, unobserved=(Unobserved("rules", EVIL, EVIL),))
    pods = tuple(pod._replace(owner=EVIL, labels={EVIL: EVIL}) for pod in snapshot.pods)
    snapshot = snapshot._replace(pods=pods, header=snapshot.header._replace(server=EVIL, kubernetes_version=EVIL))
    output = render([judge(snapshot)], name, snapshot, title=EVIL)
    if name == "html":
        page = Page(output)
        assert "script" not in page.tags
        assert "<script>alert(1)</script>" in page.text
        assert "\x1b" not in output
    elif name == "junit":
        ElementTree.fromstring(output)
    elif name == "markdown":
        assert "<script>" not in "".join(output.split("```")[::2])
    elif name == "json":
        json.loads(output)


# -- junit ------------------------------------------------------------------------------------------------------------


def test_junit_has_a_case_for_each_check_and_node():
    verdict = judge(broken())
    root = ElementTree.fromstring(render([verdict], "junit"))
    cases = root.findall(".//testcase")
    assert len(cases) == verdict.summary["total"] == int(root.get("tests"))
    assert len(root.findall(".//failure")) == verdict.summary["failed"] == int(root.get("failures"))
    assert len(root.findall(".//skipped")) == verdict.summary["skipped"]
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)


def test_junit_is_not_green_where_nothing_was_proved():
    root = ElementTree.fromstring(render([judge(recording(), checks=["connectivity.*"])], "junit"))
    assert (root.get("failures"), root.get("errors")) == ("0", "1")
    [error] = root.iter("error")
    assert error.get("message").startswith("Nothing was proved")


def test_junit_calls_undecided_an_error():
    gap = with_facts(recording(), WORKER, unobserved=(Unobserved("rules", "ip rule", "refused"),))
    root = ElementTree.fromstring(render([judge(gap)], "junit"))
    assert any("refused" in error.get("message") for error in root.findall(".//error"))


# -- text -------------------------------------------------------------------------------------------------------------


def test_the_screen_says_what_was_proved_what_is_wrong_where_and_what_to_do():
    lines = screen(judge(broken()), "kubectl --kubeconfig /lab/kubeconfig")
    assert re.fullmatch(r"Proved       \d+ of \d+ checks passed, \d+ failed(, .*)?", lines[0])
    wrong = lines[next(number for number, line in enumerate(lines) if line.startswith("Wrong")) :]
    assert wrong[0] == f"Wrong        {WORKER} has no route to {BLOCK2} of pod-routing-worker2"
    fields = {line[15:24].strip(): line[25:] for line in wrong[1:6]}
    assert fields["where"] == f"{WORKER} · Block · pod-routing-worker2 · {BLOCK2} [blocks.remote-route]"
    assert fields["expected"].startswith(f"{BLOCK2} via 172.18.0.4 dev eth0 proto 80 onlink")
    assert fields["actual"] == "no route"
    assert fields["see"] == f"node {WORKER}: ip route show {BLOCK2}"
    assert fields["do"] == "Felix puts it back within 100 s. At once:"
    agent = next(node.calico_node_pod for node in recording().nodes if node.name == WORKER).split("/")
    assert wrong[6].strip() == (
        f"kubectl --kubeconfig /lab/kubeconfig exec -n {agent[0]} {agent[1]} -c calico-node -- "
        f"ip route replace {BLOCK2} via 172.18.0.4 dev eth0 proto 80 onlink"
    )
    assert "consequence" in wrong[7] and "→" in wrong[8]


def test_the_screen_of_a_verdict_that_passed_says_what_was_proved_and_what_was_left_out():
    lines = screen(judge(recording()))
    assert [line[:8].strip() for line in lines] == ["Proved", "", "Skipped", "", ""]
    assert lines[2] == "Skipped      5 checks of connectivity: no probe was made (connectivity_assert makes them)"
    assert lines[4] == f"{13 * ' '}8 checks for other reasons, in the report"


def test_the_screen_says_which_nodes_were_not_selected_and_counts_every_skipped_check():
    def deselected(node):
        return node if node.name == WORKER else node._replace(skipped="not selected (node_selector)", facts=None)

    snapshot = recording()._replace(nodes=tuple(map(deselected, recording().nodes)))
    verdict = judge(snapshot)
    lines = screen(verdict)
    skipped = lines[next(number for number, line in enumerate(lines) if line.startswith("Skipped")) :]
    assert re.fullmatch(r"Skipped      \d+ checks of bgp, blocks, .* on 2 nodes: not selected \(node_selector\)", skipped[0])
    assert len(skipped) <= 3
    assert sum(int(line.split("check")[0].split()[-1]) for line in skipped) == verdict.summary["skipped"]


@pytest.mark.parametrize("snapshot", [recording(), without_route(recording(), WORKER, BLOCK2)])
def test_every_format_counts_the_same_checks_out_of_those_that_were_made(snapshot):
    verdict = judge(snapshot)
    made = verdict.summary["total"] - verdict.summary["skipped"]
    assert f" of {made} checks" in verdict.msg
    lines = screen(verdict)
    assert lines[0].startswith(f"Proved       {verdict.summary['passed']} of {made} checks passed")
    on_screen = dict(pair.rsplit(" ", 1) for pair in lines[1].strip().split(", "))
    rows = re.findall(r"^\| (\w+) \| (\d+) \|", render([verdict], "markdown"), re.MULTILINE)
    assert on_screen == {family: passed for family, passed in rows if passed != "0"}
    assert sum(map(int, on_screen.values())) == verdict.summary["passed"]


def test_a_number_and_its_noun_agree():
    for name in FORMATS:
        plain = render([judge(broken())], name, broken())
        assert not re.search(r"\b1 (checks|times|consequences|findings|subjects|nodes)\b(?! of| passed| failed)", plain), name


def test_the_line_on_the_cluster_counts_what_was_listed_and_names_the_pools():
    assert about(recording()) == ["Cluster      Calico v3.30.7, 3 nodes, 16 pods, 1 pool: 192.168.0.0/16 VXLANCrossSubnet"]
    header = recording().header._replace(calico_version=None, unobserved=(Unobserved("pods", "kubectl get pods", "refused"),))
    pools = tuple(recording().pools[0]._replace(name=str(number), cidr=f"10.{number}.0.0/16") for number in range(5))
    (line,) = about(recording()._replace(header=header, pods=(), pools=pools))
    assert line.startswith("Cluster      Calico of unknown version, 3 nodes, pods not listed, 5 pools: 10.0.0.0/16 ")
    assert line.endswith(", 10.2.0.0/16 VXLANCrossSubnet, …")


# -- what follows from what -------------------------------------------------------------------------------------------


def test_each_consequence_of_lists_that_were_refused_is_told_under_its_own_list_and_once():
    verdict = judge(without(recording(), "ippools", "nodes", "felixconfigurations", "ipamblocks"))
    groups = by_cause(verdict.findings)
    for cause, effects in groups:
        assert sorted(effect.key for effect in effects) == sorted(cause.consequences)
    told = [int(line.split()[1]) for line in screen(verdict) if re.match(r" +and \d+ consequences?:", line)]
    assert sum(told) == len([finding for finding in verdict.findings if finding.cause])


def test_no_two_findings_have_the_same_key_even_where_all_that_names_them_is_alike():
    gaps = tuple(Unobserved("masquerade", command, "refused") for command in ("iptables-save", "ipset list"))
    verdict = judge(without(with_facts(recording(), WORKER, unobserved=gaps), "ippools", "ipamblocks"))
    keys = [finding.key for finding in verdict.findings]
    assert len(set(keys)) == len(keys)
    assert any(key.endswith(" #2") for key in keys)


def test_in_two_verdicts_that_are_one_document_each_consequence_is_told_once():
    snapshot = without(recording(), "ippools", "ipamblocks")
    both = combine([judge(snapshot, checks=["api.*", "blocks.*"]), judge(snapshot, checks=["api.*", "ipam.*"])])
    groups = by_cause(both.findings)
    told = sorted(effect.key for _cause, effects in groups for effect in effects)
    assert told == sorted(finding.key for finding in both.findings if finding.cause)
    assert len({cause.key for cause, _effects in groups}) == len(groups)


def test_what_was_not_seen_is_told_apart_from_what_is_wrong():
    gap = with_facts(broken(), "pod-routing-worker2", unobserved=(Unobserved("sysctls", "cat /proc/sys", "exec refused"),))
    lines = screen(judge(gap))
    labels = [line[:13].strip() for line in lines if line[:13].strip()]
    assert labels == ["Proved", "Wrong", "Not seen", "Skipped"]
    assert any("sysctls: exec refused" in line for line in lines)


def test_a_screen_is_short_and_says_what_it_left_out():
    lost = [route.dst for route in recording().nodes[1].facts.routes if route.protocol != "kernel"]
    every = functools.reduce(lambda snapshot, dst: without_route(snapshot, WORKER, dst), lost, recording())
    verdict = judge(every)
    causes = [finding for finding in verdict.findings if finding.cause is None and finding.outcome == "failed"]
    assert len(causes) > 5
    assert f"{13 * ' '}… and {len(causes) - 5} more, in the report" in screen(verdict)
    assert not any("in the report" in line for line in screen(verdict, most=None))


@pytest.mark.parametrize("evil", ["\x1b[2J\x1b]0;owned\x07", "a\r\nPASSED", "\u202egnp.exe", "\x9b31m", "tab\there", "\ud800"])
def test_no_line_of_a_screen_commands_a_terminal(evil):
    def named(rows):
        return tuple(row._replace(gateway=evil) if row.dst == BLOCK2 else row for row in rows)

    snapshot = with_facts(recording(), WORKER, routes=named, unobserved=(Unobserved("sysctls", evil, evil),))
    verdict = judge(snapshot)
    assert all(line.isprintable() for line in screen(verdict, most=None))
    assert all(line.isprintable() for line in render([verdict], "text").splitlines())
    assert verdict.msg.isprintable()


def test_the_text_says_what_was_skipped_as_well():
    lines = render([judge(broken())], "text").splitlines()
    assert lines[0].startswith("FAILED  ")
    assert any(line.startswith("Skipped      ") for line in lines)


def test_the_json_is_a_verdict_of_the_shape_that_a_file_has(tmp_path):
    verdict = judge(broken())
    _verdict_file.write(str(tmp_path / "verdict.json"), verdict)
    kept = json.loads((tmp_path / "verdict.json").read_text())
    assert json.loads(render([verdict], "json")) == dict(kept, verdict_path=None)
    assert set(kept["results"][0]) == {"id", "title", "node", "outcome", "reason", "subjects"}
