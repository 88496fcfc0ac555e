#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks a lab on purpose, and heals it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: routing_fault
short_description: Breaks the pod routing of a lab on purpose, in a named way, and heals it
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Makes one named fault in a lab, for a lesson or a test, or puts back exactly what it changed.
  - It refuses every cluster that is not the lab. The provider roles mark a lab by ConfigMap C(kube-system/podnet-lab); where
    that is missing, or says another uuid than O(lab_uuid), nothing is changed.
  - What a fault replaces is kept in an annotation of that ConfigMap before anything is changed, so that it can be healed from
    another machine, and after a run that was killed.
  - What each fault does, which check names it, and whether Calico repairs it by itself is in C(docs/faults.md).
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - podnet.calico.cluster
  - podnet.calico.attributes.cluster
options:
  fault:
    description:
      - The fault. V(all), with O(state=absent), is every fault that was made and not healed.
    type: str
    required: true
    choices:
      - all
      - allocation-without-pod
      - bgp-isolated
      - bgp-session-down
      - blackhole-deleted
      - block-affinity-foreign
      - block-route-deleted
      - block-route-device
      - block-route-gateway
      - block-route-protocol
      - default-route-deleted
      - duplicate-affinity
      - foreign-route
      - ip-forward-off
      - masquerade-pool-removed
      - node-address-wrong
      - pod-address-outside
      - pod-address-released
      - pod-device-down
      - pod-device-mtu
      - pod-route-deleted
      - pod-route-device
      - pod-route-doubled
      - policy-rule
      - proxy-arp-off
      - vxlan-device-deleted
      - vxlan-neighbour-deleted
  state:
    description:
      - V(present) breaks the lab, V(absent) heals it. What was put into its broken state is put back only while it still is
        in that state; what Calico or somebody else has changed since is left alone, and listed in RV(faults[].left_alone).
    type: str
    choices: [present, absent]
    default: present
  lab_uuid:
    description:
      - The uuid of the lab, as C(podnet_lab.uuid) of the roles and C(lab.uuid) of C(lab.json) in the lab's folder.
    type: str
    required: true
  node:
    description:
      - The node to break. By default the node of O(pod), else the first worker by name.
      - With O(state=absent), heal only what was made on this node.
    type: str
  pod:
    description:
      - The pod, as C(namespace/name), of a fault that is about one. By default the first pod of the node outside the system's
        namespaces.
      - With O(state=absent), heal only what was made of this pod.
    type: str
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status without modifying anything.
    support: full
  diff_mode:
    description: Returns details of what has changed or would change when in C(diff) mode.
    support: full
  platform:
    description: Where the module can run.
    support: full
    platforms: posix
seealso:
  - module: podnet.calico.routing_assert
notes:
  - The module writes, unlike all others. Besides exec it needs the verbs V(get) and V(patch) on the ConfigMap, and V(get),
    V(create), V(update) and V(delete) on Calico's IPAM objects for faults of those.
"""

EXAMPLES = r"""
- name: Break the lab
  podnet.calico.routing_fault:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    lab_uuid: "{{ podnet_lab.uuid }}"
    fault: block-route-gateway
  register: fault

- name: See what the verdict says of it
  podnet.calico.routing_assert:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    fail_on: []
  register: verdict

- name: The fault is named
  ansible.builtin.assert:
    that: fault.expected_check in (verdict.findings | map(attribute='id'))

- name: Heal everything that was broken, from wherever
  podnet.calico.routing_fault:
    kubeconfig: "{{ podnet_lab.kubeconfig }}"
    lab_uuid: "{{ podnet_lab.uuid }}"
    fault: all
    state: absent
"""

RETURN = r"""
msg:
  description: What was done, in one line.
  returned: always
  type: str
  sample: "block-route-deleted was made on pod-routing-worker"
fault:
  description: The fault of O(fault).
  returned: success
  type: str
  sample: block-route-deleted
expected_check:
  description: The id of the check that names the fault; none for O(fault=all).
  returned: success
  type: str
  sample: blocks.remote-route
heals_by_itself:
  description: Whether and when Calico repairs it; none for O(fault=all).
  returned: success
  type: str
  sample: "Yes: Felix (VXLAN pools) at its resync, within 100 s; BIRD (other pools) within 3 s."
node:
  description: The node the fault was made on; none where nothing was healed, or on several nodes.
  returned: success
  type: str
  sample: pod-routing-worker
pod:
  description: The pod the fault is about, if it is about one.
  returned: success
  type: str
  sample: default/multitool-1-7xk2p
faults:
  description: Each fault that was made, was there already, or was healed.
  returned: success
  type: list
  elements: dict
  contains:
    fault: {description: Its name., type: str, returned: always}
    node: {description: The node., type: str, returned: always}
    pod: {description: The pod of a fault that is about one., type: str, returned: always}
    changes:
      description: What is changed, with its state before and after.
      type: list
      elements: dict
      returned: always
      sample:
        - {"place": "pod-routing-worker", "kind": "routes", "key": "192.168.112.192/26",
           "before": "192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink", "after": "absent"}
    left_alone:
      description: What was not in its broken state any more, and therefore not put back.
      type: list
      elements: str
      returned: always
commands:
  description: The commands that changed something, with where they ran and what they printed. Empty in check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - {"where": "pod-routing-worker", "output": "",
       "command": "kubectl exec -n calico-system calico-node-x -c calico-node -- ip route del 192.168.112.192/26"}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.podnet.calico.plugins.module_utils._arguments import cluster_arguments, cluster_of
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError, fail_from
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS, Lab, said
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain

ALL = "all"


def argument_spec():
    """Cluster access, and what is this module's own."""
    return dict(
        cluster_arguments(),
        fault=dict(type="str", required=True, choices=[ALL] + sorted(FAULTS)),
        state=dict(type="str", choices=["present", "absent"], default="present"),
        lab_uuid=dict(type="str", required=True),
        node=dict(type="str"),
        pod=dict(type="str"),
    )


def act(params, cluster, dry):
    """Make or heal; the outcomes."""
    name, present = params["fault"], params["state"] == "present"
    if name == ALL and present:
        raise PodnetError(
            "Not all faults can be made at once", "Choose one of %s; or heal all with state: absent." % ", ".join(sorted(FAULTS))
        )
    lab = Lab(cluster, params["lab_uuid"])
    if present:
        return [lab.make(FAULTS[name], params["node"], params["pod"], dry)]
    return lab.heal(None if name == ALL else name, params["node"], params["pod"], dry)


def view(outcome):
    """An outcome for a person."""
    changes = [
        {"place": change.place, "kind": change.kind, "key": change.key, "before": said(state), "after": said(new)}
        for (change, state), (_change, new) in zip(outcome.before, outcome.after)
    ]
    entry = outcome.entry
    return {"fault": entry.fault, "node": entry.node, "pod": entry.pod, "changes": changes, "left_alone": outcome.left_alone}


def text(faults, when):
    """One side of the diff."""
    lines = ["%s %s: %s" % (change["place"], change["key"], change[when]) for fault in faults for change in fault["changes"]]
    return "".join(line + "\n" for line in lines)


def sentence(params, faults, changed, dry):
    """What was done."""
    would = "would be" if dry else "was"
    if not faults:
        return "There is nothing to heal: the lab's mark remembers no such fault"
    where = ", ".join("%s on %s%s" % (one["fault"], one["node"], " (%s)" % one["pod"] if one["pod"] else "") for one in faults)
    if params["state"] == "present":
        return "%s %s" % (where, "%s made" % would if changed else "was made before")
    left = [line for one in faults for line in one["left_alone"]]
    return "%s %s healed%s" % (where, would, "; left alone, changed meanwhile: %s" % ", ".join(left) if left else "")


def only(faults, key):
    """The value that all have, else None."""
    values = {fault[key] for fault in faults}
    return values.pop() if len(values) == 1 else None


def main():
    """Break or heal."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params, dry = module.params, module.check_mode
    try:
        outcomes = act(params, cluster_of(module), dry)
    except PodnetError as error:
        fail_from(module, error)
    faults = [view(outcome) for outcome in outcomes]
    # What healed by itself is still to be forgotten, which is a change of the lab's mark.
    changed = bool(faults) and (params["state"] == "absent" or any(outcome.changed for outcome in outcomes))
    fault = FAULTS.get(params["fault"])
    module.exit_json(
        changed=changed,
        msg=sentence(params, faults, changed, dry),
        fault=params["fault"],
        expected_check=fault.check if fault else None,
        heals_by_itself=fault.heals if fault else None,
        node=only(faults, "node"),
        pod=only(faults, "pod"),
        faults=faults,
        commands=plain([done for outcome in outcomes for done in outcome.done]),
        diff={"before": text(faults, "before"), "after": text(faults, "after")},
    )


if __name__ == "__main__":
    main()
