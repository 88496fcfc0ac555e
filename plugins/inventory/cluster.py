# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a Calico cluster as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster
short_description: The nodes of a Calico cluster as hosts
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Every node of a Kubernetes cluster with Calico becomes a host, named like the node, with what Calico knows of it in the
    variable C(calico), and what is true of all nodes in the variable C(calico_cluster) of the group O(group).
  - C(calico) holds C(name), C(internal_ip), C(calico_address) (with its mask), C(subnet) (the network of that address; nodes of one
    subnet reach each other unencapsulated where a pool is CrossSubnet), C(vxlan_tunnel_address), C(vxlan_tunnel_mac),
    C(ipip_tunnel_address), C(wireguard_address), C(as_number) (the node's own, else the cluster's),
    C(route_reflector_cluster_id), C(blocks) (the CIDRs that it owns), C(pools) (the names of those its blocks are in),
    C(encapsulations) (of these pools), C(ready), C(not_ready_reason), C(roles) (V(control-plane), V(worker) and what else labels say),
    C(zone), C(region), C(os), C(kubelet_version), C(calico_node_pod) (C(namespace/name)), C(calico_node_ready), C(labels).
  - C(calico_cluster) holds C(server), C(cluster_id), C(calico_version), C(kubernetes_version), C(api_group), C(as_number),
    C(collected_at), C(pools) (in the shape of RV(podnet.calico.block_affinity_info#module:pools), with their
    C(encapsulation)) and C(unobserved).
  - Lists nodes, the pods of calico-node, and of Calico pools, blocks, affinities, BGPConfigurations and ClusterInformations, in
    C(crd.projectcalico.org) where that is served, else in C(projectcalico.org). It runs nothing in any pod.
    The account of C(rbac/view.yaml) may do that.
  - What may not be listed is named in a warning and in C(calico_cluster.unobserved), and is V(null) in the variables, never empty. Without
    the nodes, the connection, or Calico there is no inventory but an error.
  - The name of the inventory file ends in C(calico) or C(podnet), alone or after a dot, dash or underscore, and C(.yml) or C(.yaml),
    such as C(calico.yml), C(prod.calico.yml) or C(lab.podnet.yaml).
notes:
  - Paths in the inventory file that are relative are relative to its folder.
  - Options that are text may be templates, for example C(api_key) by a lookup. Secrets neither become variables nor reach the cache.
  - A cached answer is used for the cluster it came from only, told by servers and contexts of the kubeconfig. One from which
    something was missing is not cached, nor is a snapshot.
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - python >= 3.11
  - kubernetes >= 24.2.0 (Python library), unless O(snapshot) is given
options:
  plugin:
    description: Says that the file is this plugin's.
    type: str
    required: true
    choices: [podnet.calico.cluster]
  snapshot:
    description:
      - A snapshot that M(podnet.calico.routing_snapshot) wrote, a folder that C(record-cluster) made, or the shards of one cluster.
        No cluster is asked then.
    type: list
    elements: str
    default: []
  ansible_host:
    description:
      - Which address of a node becomes C(ansible_host), the first of these that it has. A node that has none, and every node where the
        list is empty, has no C(ansible_host) unless O(compose) makes one.
    type: list
    elements: str
    choices: [internal_ip, calico_address, wireguard_address, vxlan_tunnel_address, ipip_tunnel_address]
    default: [internal_ip]
  group:
    description: The group of all nodes. Where one inventory has several clusters, each wants one of its own.
    type: str
    default: calico_nodes
  host_prefix:
    description: Goes before the names of the hosts, for clusters whose nodes have the same names.
    type: str
    default: ""
  deadline:
    description: Seconds that may be spent on the cluster. What was not seen by then is reported as not observed.
    type: float
    default: 60
seealso:
  - module: podnet.calico.node_route_info
  - module: podnet.calico.block_affinity_info
"""

EXAMPLES = r"""
# calico.yml: the cluster of KUBECONFIG or K8S_AUTH_KUBECONFIG
plugin: podnet.calico.cluster

---
# prod.calico.yml: by role, zone, subnet and rack; the nodes that pods cannot be reached on apart
plugin: podnet.calico.cluster
kubeconfig: ~/.kube/prod
context: prod-view
ansible_host: [wireguard_address, internal_ip]
keyed_groups:
  - key: calico.roles
    prefix: role
  - key: calico.zone
    prefix: zone
  - key: calico.subnet
    prefix: subnet
  - key: calico.labels['example.net/rack'] | default('none')
    prefix: rack
groups:
  not_ready: not calico.ready
  route_reflectors: calico.route_reflector_cluster_id is not none
compose:
  ansible_user: "'core'"
  first_block: calico.blocks | first
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/calico-nodes

---
# offline.calico.yml: what a cluster was, from a snapshot beside this file
plugin: podnet.calico.cluster
snapshot: [cluster.jsonl.gz]
"""

import hashlib
import os
import re
from typing import Any, Dict, List, Mapping, Optional

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._node_inventory import inventory as nodes_of
from ansible_collections.podnet.calico.plugins.module_utils._node_inventory import observe
from ansible_collections.podnet.calico.plugins.module_utils._source import saved_snapshot
from ansible_collections.podnet.calico.plugins.plugin_utils._target import target

_FILE_NAME = re.compile(r"(^|[._-])(calico|podnet)\.ya?ml$")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """What Ansible loads; see DOCUMENTATION."""

    NAME = "podnet.calico.cluster"

    def verify_file(self, path: str) -> bool:
        """Whether the file can be read and is named as this plugin's files are."""
        return bool(super().verify_file(path)) and _FILE_NAME.search(os.path.basename(path)) is not None

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory with the nodes; AnsibleParserError says what was asked of whom, what came back, what to do."""
        super().parse(inventory, loader, path, cache)
        given = self._read_config_data(path)
        try:
            found = self._found(path, given, cache)
        except PodnetError as error:
            raise AnsibleParserError(str(error)) from error
        for gap in found["cluster"]["unobserved"]:
            self.display.warning("%s: %s not seen (%s)" % (path, gap["what"], gap["reason"]))
        self._fill(found)

    def _found(self, path: str, given: Mapping[str, Any], cache: bool) -> Dict[str, Any]:
        """The nodes: of the snapshot, else of the cache, else of the cluster."""
        folder = os.path.dirname(os.path.abspath(path))
        snapshot = [_beside(folder, self._templated(name)) for name in self.get_option("snapshot")]
        if snapshot:
            return nodes_of(saved_snapshot(snapshot))
        auth = self._auth(folder, given)
        caching = self.get_option("cache")
        key = "%s_%s" % (self.get_cache_key(path), hashlib.sha256(target(auth).encode()).hexdigest()[:16])
        if caching and cache:
            try:
                return self._cache[key]
            except KeyError:
                pass  # there is none yet, or it is too old
        found = nodes_of(observe(connect(auth, self._limits())))
        if caching and not found["cluster"]["unobserved"]:
            self._cache[key] = found
        return found

    def _limits(self) -> Limits:
        deadline = self.get_option("deadline")
        if deadline <= 0:
            raise PodnetError("deadline is %g and must be greater than 0" % deadline)
        return Limits(deadline=deadline)

    def _auth(self, folder: str, given: Mapping[str, Any]) -> Dict[str, Any]:
        """kubernetes.core's options as the file has them; None leaves one to K8S_AUTH_*, as everywhere in the collection.

        Of paths the text that was given counts: as an option Ansible has made it one of the current folder.
        """
        auth = {name: self._templated(self.get_option(name)) for name in AUTH_ARG_SPEC}
        for name, spec in AUTH_ARG_SPEC.items():
            if spec.get("type") == "path":
                written = next((given[key] for key in (name, *spec.get("aliases", ())) if key in given), None)
                auth[name] = _beside(folder, self._templated(written))
        if isinstance(auth["kubeconfig"], str):
            auth["kubeconfig"] = os.pathsep.join(_beside(folder, part) or "" for part in auth["kubeconfig"].split(os.pathsep))
        return auth

    def _templated(self, value: Any) -> Any:
        return self.templar.template(value) if isinstance(value, str) else value

    def _fill(self, found: Mapping[str, Any]) -> None:
        cluster, strict = found["cluster"], self.get_option("strict")
        group = self.inventory.add_group(self._sanitize_group_name(self.get_option("group")))
        self.inventory.set_variable(group, "calico_cluster", cluster)
        for name, node in found["nodes"].items():
            host = self.inventory.add_host(self.get_option("host_prefix") + name, group)
            self.inventory.set_variable(host, "calico", node)
            address = _address(node, self.get_option("ansible_host"))
            if address:
                self.inventory.set_variable(host, "ansible_host", address)
            variables = dict(self.inventory.get_host(host).get_vars(), calico_cluster=cluster)
            self._set_composite_vars(self.get_option("compose"), variables, host, strict)
            self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict)


def _beside(folder: str, path: Optional[str]) -> Optional[str]:
    """A path of the inventory file."""
    return os.path.join(folder, os.path.expanduser(path)) if path else path


def _address(node: Mapping[str, Any], wanted: List[str]) -> Optional[str]:
    """The first address of those that the node has, without a mask."""
    return next((node[name].partition("/")[0] for name in wanted if node[name]), None)
