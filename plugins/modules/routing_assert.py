#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a cluster's pod routing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: routing_assert
short_description: Proves that pods are routed as Calico's configuration and the intent say they must be
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Collects what is true, works out what must be true, and compares; or does so with snapshots that were collected before.
  - The task fails when the verdict has an outcome that O(fail_on) lists, with the same result as on success.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.cluster.selection
  - podnet.calico.cluster.evidence
  - podnet.calico.verdict
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
attributes:
  diff_mode:
    description: Returns details of what has changed or would change when in C(diff) mode.
    support: full
    details: Nothing is changed; what is shown are the routes that were observed against those that are expected, where they differ.
options:
  snapshots:
    description:
      - Files of M(podnet.calico.routing_snapshot) to judge instead of the cluster, or folders of raw outputs as the script
        C(record-cluster) of the role P(podnet.calico.pod_routing#role) makes them with kubectl alone. Several are shards of
        one cluster. No cluster is needed, and the options of access and collection are not used. Of one file that a run kept,
        C(intent.json) beside it is the intent, unless there is an O(intent).
    type: list
    elements: path
    default: []
  shards:
    description:
      - Of O(snapshots) that are shards of one collection (O(podnet.calico.routing_snapshot#module:shard)), which there must be. The
        verdict is that of one collection of the whole cluster. A shard that is missing, late, there twice, damaged, of another
        cluster or collection, or cut otherwise is V(inconclusive) by its name; the others are judged.
      - Without it, those must be there that the files themselves name, and a file that is damaged is an error.
    type: dict
    suboptions:
      names:
        description: The names of all shards. A file that is damaged is told by its own name, C(<shard>.jsonl.gz).
        type: list
        elements: str
        required: true
      collection:
        description: The collection that they must be of. Without it, the one that most of them are of.
        type: str
      max_apart:
        description: How many seconds before the latest shard another may have been collected.
        type: float
        default: 3600
      refused:
        description: Of shards whose file could not be had, why, as M(podnet.calico.shard_files) returns it.
        type: dict
        default: {}
  intent:
    description:
      - What the cluster is meant to be. A live value that differs is V(failed) before anything is derived from it, so that
        what is expected is never taken from the live cluster alone.
      - Keys are V(nodes), V(pools) (V(cidr), V(block_size), V(encapsulation), V(nat_outgoing), V(node_selector)), V(bgp),
        V(workloads) and V(routes) (V(node), V(dst), V(via), V(dev), V(absent)). All may be left out.
    type: dict
  checks:
    description:
      - Which checks to run, by id or pattern such as V(blocks.*). Empty is all.
    type: list
    elements: str
    default: []
  skip_checks:
    description:
      - Which checks not to run, by id or pattern.
    type: list
    elements: str
    default: []
  wait:
    description:
      - Seconds to go on collecting and judging while the verdict fails. Calico needs a moment after a change, and repairs
        some faults by itself. What was wrong at first and is no more is returned as RV(at_first), and told. O(deadline) holds
        for all looks together.
    type: float
    default: 0
  wait_sleep:
    description:
      - Seconds between two collections of O(wait).
    type: float
    default: 2
  run_dir:
    description:
      - A folder for all files of this run. C(snapshot.jsonl.gz) and C(verdict.json), unless O(snapshot_path) or
        O(verdict_path) name others, C(intent.json) where there is an O(intent), and the O(reports).
      - It is made where it does not exist, readable by its owner only, and the link C(latest) beside it is pointed at it.
    type: path
  reports:
    description:
      - The reports to write to O(run_dir), as M(podnet.calico.routing_report) would. A task less where every second counts.
    type: list
    elements: str
    choices: [html, junit, json, markdown, text]
    default: []
seealso:
  - module: podnet.calico.routing_snapshot
  - module: podnet.calico.shard_files
  - module: podnet.calico.connectivity_assert
  - module: podnet.calico.routing_report
"""

EXAMPLES = r"""
- name: Prove the routing of the cluster of the current kubeconfig
  podnet.calico.routing_assert:

- name: Prove what the lab was built for, and keep verdict and snapshot
  podnet.calico.routing_assert:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    evidence: [api, nodes, pods, probes]
    pod_selector: app in (multitool-1, multitool-2)
    intent:
      pools:
        - cidr: 192.168.0.0/16
          block_size: 26
          encapsulation: VXLANCrossSubnet
          nat_outgoing: true
    wait: 30
    run_dir: "{{ podnet_lab.dir }}/runs/{{ now(utc=true, fmt='%Y%m%dT%H%M%SZ') }}"
    reports: [html, junit]

- name: Judge a file that somebody sent, without their cluster
  podnet.calico.routing_assert:
    snapshots: [/tmp/snapshot.jsonl.gz]
    fail_on: [failed]

- name: Judge what two jobs have collected
  podnet.calico.routing_assert:
    snapshots: [/mnt/podnet/nightly-20300101/shard-1.jsonl.gz, /mnt/podnet/nightly-20300101/shard-2.jsonl.gz]
    shards:
      names: [shard-1, shard-2]
      collection: nightly-20300101
"""

RETURN = r"""
msg:
  description: The verdict in one line; enough on its own.
  returned: always
  type: str
  sample: "2 of 148 checks failed: pod-routing-worker2 has no route to 192.168.93.192/26"
schema_version:
  description: The version of the shape of the verdict.
  returned: always
  type: int
  sample: 1
summary:
  description: How many checks ended how, one per check and node.
  returned: always
  type: dict
  sample: {"total": 148, "passed": 140, "failed": 2, "warning": 0, "skipped": 6, "inconclusive": 0}
results:
  description: Each check on each node (or on the cluster), with its subjects counted by outcome.
  returned: always
  type: list
  elements: dict
  sample: [{"id": "blocks.remote-route", "node": "pod-routing-worker", "outcome": "passed", "subjects": {"checked": 2}}]
findings:
  description:
    - Everything that did not pass, with what was expected, what was found, what to do, and the command that shows it.
  returned: always
  type: list
  elements: dict
diff:
  description:
    - For each node whose routes inside the pools differ from those that are expected, the observed ones as C(before) and the
      expected ones as C(after); only what differs, of at most 20 nodes and 40 lines each. Nothing where all is as expected,
      where an API list could not be read, or where it is not known who makes the routes.
    - RV(screen) ends with the same, for Ansible shows no diff of a task that fails or changes nothing.
  returned: with C(--diff)
  type: list
  elements: dict
  sample:
    - before_header: "pod-routing-worker: observed routes"
      after_header: "pod-routing-worker: expected routes"
      before: "192.168.112.192/26 via 172.18.0.2 dev eth0 proto 80 onlink\n"
      after: "192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink\n"
verdict_path:
  description: The file that holds the whole verdict, if one was written.
  returned: always
  type: str
snapshot_path:
  description: The file that holds what was judged, if there is one.
  returned: always
  type: str
at_first:
  description: What was wrong at the first look, where a later one within O(wait) found it right; else null.
  returned: always
  type: str
screen:
  description:
    - The verdict as lines for a terminal. What was proved, what is wrong by cause, with the command that puts it right, and
      what was not seen. Printable characters only, whatever a cluster called its things.
  returned: always
  type: list
  elements: str
  sample: ["Proved       121 of 126 checks passed, 1 failed, 4 skipped"]
reports:
  description: The reports that were written, by format.
  returned: always
  type: dict
  sample: {"html": "/home/me/.local/state/podnet/pod-routing/runs/latest/report.html"}
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils import _report, _run_folder
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_of
from ansible_collections.podnet.calico.plugins.module_utils._cut import refusal
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._judgement import finish, judge, verdict_arguments
from ansible_collections.podnet.calico.plugins.module_utils._parallel import Deadline
from ansible_collections.podnet.calico.plugins.module_utils._route_diff import RouteDiff
from ansible_collections.podnet.calico.plugins.module_utils._shards import Expected
from ansible_collections.podnet.calico.plugins.module_utils._source import live_arguments, live_snapshot, saved_snapshot


GRANT = "Grant verb"
SHARDS = dict(
    names=dict(type="list", elements="str", required=True),
    collection=dict(type="str"),
    max_apart=dict(type="float", default=3600),
    refused=dict(type="dict", default={}),
)
#: How the reasons begin that are of the caller's making.
UNHEALED = ("nothing is selected", "none of ")


def argument_spec():
    """Cluster, selection, evidence and verdict; and what is this module's own."""
    return dict(
        live_arguments(),
        snapshots=dict(type="list", elements="path", default=[]),
        shards=dict(type="dict", options=SHARDS),
        intent=dict(type="dict"),
        checks=dict(type="list", elements="str", default=[]),
        skip_checks=dict(type="list", elements="str", default=[]),
        wait=dict(type="float", default=0),
        wait_sleep=dict(type="float", default=2),
        run_dir=dict(type="path"),
        reports=dict(type="list", elements="str", choices=list(_report.FORMATS), default=[]),
        **verdict_arguments()
    )


def judge_until_good(module, cluster):
    """Collect and judge, again and again while the verdict fails, more time may help, and there is some.

    Returns what was judged last and, where it is good and the first was not, what was wrong at first. One deadline holds for
    all of it: a look that would not end in time is not begun, and one that fails takes back nothing that was seen.
    """
    patience, seen = Deadline(module.params["wait"]), []
    while True:
        began = time.monotonic()
        try:
            snapshot = live_snapshot(module, cluster)
            seen.append((snapshot, judge(module, snapshot, module.params["checks"], module.params["skip_checks"])))
        except PodnetError:
            if not seen:
                raise
            break
        if not seen[-1][1].failed or patience.expired or not may_pass(seen[-1][1]):
            break
        if cluster.deadline.remaining() < time.monotonic() - began + module.params["wait_sleep"]:
            break
        time.sleep(min(module.params["wait_sleep"], patience.remaining()))
    snapshot, verdict = seen[-1]
    return snapshot, verdict, seen[0][1] if seen[0][1].failed and not verdict.failed else None


def may_pass(verdict):
    """Whether time may heal it: who lacks a permission lacks it later as well, and what was left out stays so."""
    causes = [finding for finding in verdict.findings if finding.cause is None]
    return any(
        finding.outcome == "failed"
        or (finding.outcome == "inconclusive" and not finding.actual.startswith(UNHEALED) and GRANT not in finding.actual)
        for finding in causes
    )


def expected_shards(module):
    """Which shards there must be, as ``shards`` says; None without it."""
    given = module.params["shards"]
    if given is None:
        return None
    wrong = refusal(given["names"]) if given["names"] else "no shard is named"
    if wrong:
        raise PodnetError("shards.names: " + wrong)
    refused = {str(name): str(reason) for name, reason in given["refused"].items()}
    return Expected(tuple(given["names"]), given["collection"] or None, given["max_apart"], refused)


def main():
    """Judge files or the cluster."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    files = module.params["snapshots"]
    try:
        # Files first: one of them may be in `latest`, which is pointed at this run's folder next.
        expected = expected_shards(module)
        saved = saved_snapshot(files, expected) if files or expected else None
        if saved is not None and not module.params["intent"]:
            module.params["intent"] = _run_folder.kept_intent(files)
        _run_folder.prepare(module)
        if saved is None:
            snapshot, verdict, at_first = judge_until_good(module, cluster_of(module))
        else:
            snapshot, verdict, at_first = saved, judge(module, saved, module.params["checks"], module.params["skip_checks"]), None
        reports = _run_folder.write_reports(module, snapshot, verdict)
        routes = RouteDiff(snapshot) if module._diff else None
        kept = files[0] if len(files) == 1 else None
        finish(module, snapshot, verdict, kept=kept, routes=routes, at_first=at_first.msg if at_first else None, reports=reports)
    except PodnetError as error:
        fail_from(module, error)


if __name__ == "__main__":
    main()
