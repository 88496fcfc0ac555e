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
seealso:
  - module: podnet.calico.routing_assert
"""

EXAMPLES = r"""
- name: Keep what is true now
  podnet.calico.routing_snapshot:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    evidence: [api, nodes, pods]
    path: "{{ podnet_lab_dir }}/snapshot.jsonl.gz"

- name: A shard of a large cluster, one zone per job
  podnet.calico.routing_snapshot:
    node_selector: topology.kubernetes.io/zone={{ zone }}
    path: /var/lib/podnet/{{ zone }}.jsonl.gz
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
seconds:
  description: How long the collection took.
  returned: success
  type: float
  sample: 0.41
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_of
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._source import live_arguments, live_snapshot, save_snapshot


def observed(subjects):
    """Count the subjects, and those of which anything was seen: an empty table of links is nothing."""
    return {"total": len(subjects), "observed": sum(bool(item.facts and item.facts.links) for item in subjects)}


def main():
    """Collect and write."""
    module = AnsibleModule(
        argument_spec=dict(live_arguments(), path=dict(type="path", required=True)),
        supports_check_mode=True,
    )
    try:
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
        seconds=round(seconds, 3),
    )


if __name__ == "__main__":
    main()
