#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be known about a cluster's routing, in one file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: routing_snapshot
short_description: Saves what is true about a cluster's routing to one file
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Collects objects, node facts and pod facts in one pass and writes them as JSON Lines, compressed when O(path) ends in
    V(.gz). The file can be judged anywhere, without the cluster, by M(podnet.calico.routing_assert).
  - It holds only the fields of the snapshot's schema. No secrets, no whole objects, no foreign annotations.
  - The file is the output of a run and not the state of a system, so the task reports RV(ignore:changed=false). In check
    mode everything is read and nothing is written.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.cluster.selection
  - podnet.calico.cluster.evidence
  - podnet.calico.attributes
  - podnet.calico.attributes.cluster
options:
  path:
    description:
      - The file to write. An older one is replaced. Its folder must exist.
    type: path
    required: true
  shard:
    description:
      - Which part of the cluster this is, where several jobs or machines collect it in shards. The API is read whole; looked into are the
        nodes of this shard, of those that are selected, and the pods on them. Files of all shards, judged together, give the
        verdict of one collection.
      - Of V(probes), the first shard by name sends the packets, the same as one collection would.
    type: dict
    suboptions:
      name:
        description: The name of this shard.
        type: str
        required: true
      of:
        description: The names of all shards. A node is the shard's to which the hash of its name points.
        type: list
        elements: str
        required: true
      collection:
        description: What all shards of one collection have in common, and no other collection has.
        type: str
        required: true
      node_selector:
        description: A label selector of this shard's nodes, in place of the hash of their names.
        type: str
seealso:
  - module: podnet.calico.routing_assert
  - module: podnet.calico.shard_files
"""

EXAMPLES = r"""
- name: Keep what is true now
  podnet.calico.routing_snapshot:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    evidence: [api, nodes, pods]
    path: "{{ podnet_lab_dir }}/snapshot.jsonl.gz"

- name: One shard of four of a large cluster
  podnet.calico.routing_snapshot:
    shard:
      name: shard-1
      of: [shard-1, shard-2, shard-3, shard-4]
      collection: nightly-20300101
    path: /mnt/podnet/nightly-20300101/shard-1.jsonl.gz
"""

RETURN = r"""
snapshot_path:
  description: The file that was written; none in check mode.
  returned: success
  type: str
  sample: /home/me/.local/state/podnet/pod-routing/snapshot.jsonl.gz
nodes:
  description: How many nodes there are, and on how many of them something could be observed.
  returned: success
  type: dict
  sample: {"total": 3, "observed": 3}
pods:
  description: How many pods there are, and in how many of them something could be observed.
  returned: success
  type: dict
  sample: {"total": 16, "observed": 7}
sha256:
  description: The SHA-256 sum of the file; none in check mode.
  returned: success
  type: str
  sample: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
bytes:
  description: How large the file is; none in check mode.
  returned: success
  type: int
  sample: 48210
collected_at:
  description: When the collection began, in UTC.
  returned: success
  type: str
  sample: "2030-01-01T02:00:04Z"
cluster_id:
  description: The cluster, as Calico's ClusterInformation names it; none where it could not be read.
  returned: success
  type: str
  sample: 0b1f4d3c9c6f4d7d8f0d6a1c2e3b4a5f
seconds:
  description: How long the collection took.
  returned: success
  type: float
  sample: 0.41
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_of, selectors_of
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._source import live_arguments, live_snapshot, save_snapshot


SHARD = dict(
    name=dict(type="str", required=True),
    of=dict(type="list", elements="str", required=True),
    collection=dict(type="str", required=True),
    node_selector=dict(type="str"),
)


def observed(subjects):
    """Count the subjects, and those of which anything was seen: an empty table of links is nothing."""
    return {"total": len(subjects), "observed": sum(bool(item.facts and item.facts.links) for item in subjects)}


def main():
    """Collect and write."""
    module = AnsibleModule(
        argument_spec=dict(live_arguments(), path=dict(type="path", required=True), shard=dict(type="dict", options=SHARD)),
        supports_check_mode=True,
    )
    try:
        selectors_of(module)  # a mistake in them is told before the cluster is asked
        cluster = cluster_of(module)
        start = time.monotonic()
        snapshot = live_snapshot(module, cluster)
        seconds = time.monotonic() - start
        path = save_snapshot(module, module.params["path"], snapshot)
    except PodnetError as error:
        fail_from(module, error)
    module.exit_json(
        changed=False,
        snapshot_path=path,
        nodes=observed(snapshot.nodes),
        pods=observed(snapshot.pods),
        sha256=module.sha256(path) if path else None,
        bytes=os.path.getsize(path) if path else None,
        collected_at=snapshot.header.collected_at,
        cluster_id=snapshot.header.cluster_id,
        seconds=round(seconds, 3),
    )


if __name__ == "__main__":
    main()
