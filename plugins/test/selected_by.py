# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether labels are selected."""

from __future__ import annotations

DOCUMENTATION = r"""
name: selected_by
short_description: Whether a selector of Calico selects labels
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, selector
description:
  - True where a selector as Calico writes it, for example of an IPPool's C(nodeSelector), selects something with these
    labels.
  - A selector that cannot be read is an error.
options:
  _input:
    description: Labels, as C(calico.labels) of the inventory.
    type: dict
    required: true
  selector:
    description: The selector.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.in_pool
    plugin_type: test
"""

EXAMPLES = r"""
- name: Which pools are for a node
  ansible.builtin.assert:
    that:
      - labels is podnet.calico.selected_by("rack == 'a' && !has(edge)")
      - labels is not podnet.calico.selected_by("rack in {'b', 'c'}")
  vars:
    labels: {rack: a, kubernetes.io/os: linux}
"""

RETURN = r"""
_value:
  description: Whether it is.
  type: bool
"""

from typing import Any, Callable, Dict

from collections.abc import Mapping

from ansible_collections.podnet.calico.plugins.module_utils._node_selector import selects
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import refuse, text


def selected_by(labels: Any, selector: Any) -> bool:
    """Whether ``selector`` selects ``labels``; see DOCUMENTATION."""
    if not isinstance(labels, Mapping):
        refuse("selected_by", "wants labels as a dictionary, got %s" % type(labels).__name__)
    selected = selects(text("selected_by", "a selector", selector), labels)
    if selected is None:
        refuse("selected_by", "%r cannot be read as a selector of Calico" % selector)
    return selected


class TestModule:
    """What Ansible loads."""

    def tests(self) -> Dict[str, Callable[..., Any]]:
        """The tests of this file, by name."""
        return {"selected_by": selected_by}
