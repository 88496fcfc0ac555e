# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another job published of its verdict, believed only as far as it is whole."""

from __future__ import annotations

DOCUMENTATION = r"""
name: published_verdict
short_description: Reads a verdict that another job published, and says why it is no pass
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Reads what P(podnet.calico.verdict_artifacts#filter) made. A verdict that is not there, or is not whole, is no pass; nothing
    that was published makes it raise an error.
options:
  _input:
    description: C(podnet_verdict), C(podnet_summary) and C(podnet_headlines), each of whatever type it came as, or missing.
    type: dict
    required: true
  document:
    description: The text of the verdict's file, where that is within reach. It must have the same counts.
    type: str
"""

EXAMPLES = r"""
- name: Refuse to go on without a pass
  ansible.builtin.assert:
    that: before.verdict == 'passed'
    fail_msg: "{{ before.why }}"
  vars:
    before: "{{ {'podnet_verdict': podnet_verdict | default(''), 'podnet_summary': podnet_summary | default({})}
                | podnet.calico.published_verdict }}"
"""

RETURN = r"""
_value:
  description:
    - C(verdict), which is V(passed), V(failed), V(inconclusive), V(missing) or V(malformed); C(why) it is no pass, empty for one;
      C(summary), the counts, empty where they cannot be believed; C(headlines), printable and bounded.
  type: dict
"""

from typing import Any, Callable, Dict, Mapping, Optional

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils import _published
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain


def published_verdict(given: Mapping[str, Any], document: Optional[str] = None) -> Dict[str, Any]:
    """What ``given`` comes to; see DOCUMENTATION."""
    if not isinstance(given, Mapping):
        raise AnsibleFilterError("published_verdict wants a dict of what was published, got %s" % type(given).__name__)
    return plain(_published.read(given, document))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"published_verdict": published_verdict}
