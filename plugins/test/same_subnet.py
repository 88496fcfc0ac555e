# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node takes another for near."""

from __future__ import annotations

DOCUMENTATION = r"""
name: same_subnet
short_description: Whether packets to another node need no tunnel in a CrossSubnet pool
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, other
description:
  - True where another node's address lies in the network of this node's own. It is the question that Calico asks where a
    pool's mode is V(CrossSubnet). Where it is true, packets go unencapsulated.
  - It is one-sided, as it is in Calico, where the mask of this node decides and the other's does not.
options:
  _input:
    description: The node's own address with its mask, as C(calico.calico_address) of the inventory.
    type: str
    required: true
  other:
    description: The other node's address, with or without a mask.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.pool_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Who is near
  ansible.builtin.assert:
    that:
      - "'172.18.0.3/16' is podnet.calico.same_subnet('172.18.0.4')"
      - "'172.18.0.3/24' is not podnet.calico.same_subnet('172.18.1.4/16')"
"""

RETURN = r"""
_value:
  description: Whether it is.
  type: bool
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.module_utils._prefix import prefix, same_network
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, refuse, text


def same_subnet(own: Any, other: Any) -> bool:
    """Whether ``other`` is near; see DOCUMENTATION."""
    if "/" not in text("same_subnet", "an address with its mask", own):
        refuse("same_subnet", "wants the node's own address with its mask, got %r" % own)
    for address in (own, text("same_subnet", "the other node's address", other).partition("/")[0]):
        calculated("same_subnet", prefix, address)
    return same_network(own, other)


class TestModule:
    """What Ansible loads."""

    def tests(self) -> Dict[str, Callable[..., Any]]:
        """The tests of this file, by name."""
        return {"same_subnet": same_subnet}
