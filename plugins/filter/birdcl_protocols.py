# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The BGP sessions of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
name: birdcl_protocols
short_description: Reads what C(birdcl show protocols) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The BGP sessions of a node, from what C(birdcl show protocols) printed. Of BIRD 1.6 as Calico ships it.
  - A BIRD that does not run, or other text, is an error with what was printed.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.birdcl_route
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Every session is established
  ansible.builtin.assert:
    that: sessions | rejectattr('info', 'match', 'Established') | map(attribute='peer') | list == ['172.18.0.4']
  vars:
    sessions: "{{ printed | podnet.calico.birdcl_protocols }}"
    printed: |
      BIRD v0.3.3+birdv1.6.8 ready.
      name     proto    table    state  since       info
      kernel1  Kernel   master   up     14:52:31
      Mesh_172_18_0_2 BGP      master   up     14:52:33    Established
      Mesh_172_18_0_4 BGP      master   start  14:52:33    Active        Socket: Connection refused
"""

RETURN = r"""
_value:
  description: The sessions, each with C(name), C(peer) (its address, where Calico named the session), C(state), C(info)
    (begins with BGP's own state).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List, Sequence

from ansible_collections.podnet.calico.plugins.module_utils._bird import parse_bird
from ansible_collections.podnet.calico.plugins.module_utils._model import BgpSession
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def birdcl_protocols(output: Any) -> List[Dict[str, Any]]:
    """The BGP sessions of a node; see DOCUMENTATION."""
    return listing("birdcl_protocols", "birdcl show protocols", _sessions, output)


def _sessions(output: str) -> Sequence[BgpSession]:
    bird = parse_bird(output)
    if not bird.running:
        raise ValueError("BIRD does not run there")
    return bird.sessions


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"birdcl_protocols": birdcl_protocols}
