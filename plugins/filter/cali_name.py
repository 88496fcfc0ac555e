# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The device of a pod on its node."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cali_name
short_description: The name of a pod's device on its node
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, namespace, prefix
description:
  - The host's side of a pod's veth, as Calico names it, with a prefix and 11 digits of the SHA-1 of namespace and name.
options:
  _input:
    description: The name of the pod.
    type: str
    required: true
  namespace:
    description: The pod's namespace.
    type: str
    required: true
  prefix:
    description: FelixConfiguration's C(interfacePrefix).
    type: str
    default: cali
seealso:
  - plugin: podnet.calico.ip_link
    plugin_type: filter
  - plugin: podnet.calico.vtep_mac
    plugin_type: filter
"""

EXAMPLES = r"""
- name: ip link show cali6d09fa47963
  ansible.builtin.assert:
    that: "'multitool' | podnet.calico.cali_name('default') == 'cali6d09fa47963'"
"""

RETURN = r"""
_value:
  description: The name of the device.
  type: str
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.module_utils import _names
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import named


def cali_name(pod: Any, namespace: Any, prefix: str = "cali") -> str:
    """The device of ``pod``; see DOCUMENTATION."""
    return _names.pod_device(
        named("cali_name", "the namespace of a pod", namespace),
        named("cali_name", "the name of a pod", pod),
        named("cali_name", "the prefix of its device", prefix),
    )


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"cali_name": cali_name}
