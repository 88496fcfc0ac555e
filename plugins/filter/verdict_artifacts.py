# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of a play as the few variables that it publishes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verdict_artifacts
short_description: Makes of verdicts the variables that a play publishes
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The verdicts of all hosts of a play as one, in a few kB and printable characters. For C(set_stats), which AWX stores with the
    job and hands to the jobs after it. P(podnet.calico.published_verdict#filter) reads it there.
options:
  _input:
    description: What M(podnet.calico.routing_assert) returned, by host; an empty dictionary for a host that has no verdict.
    type: dict
    required: true
  fail_on:
    description:
      - The outcomes that fail the play. V(warning) among them makes warnings a failed verdict; what failed or is inconclusive is
        never a pass.
    type: list
    elements: str
    default: [failed, inconclusive]
"""

EXAMPLES = r"""
- name: Publish the verdict
  ansible.builtin.set_stats:
    data: "{{ {inventory_hostname: verdict} | podnet.calico.verdict_artifacts }}"
    aggregate: false
"""

RETURN = r"""
_value:
  description:
    - C(podnet_verdict), which is V(passed), V(failed) or V(inconclusive); C(podnet_summary), the counts by outcome; and
      C(podnet_headlines), at most five causes and how many more there are.
  type: dict
"""

from typing import Any, Callable, Dict, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils import _published


def verdict_artifacts(verdicts: Mapping[str, Any], fail_on: Sequence[str] = ("failed", "inconclusive")) -> Dict[str, Any]:
    """What is published of ``verdicts``; see DOCUMENTATION."""
    if not isinstance(verdicts, Mapping):
        raise AnsibleFilterError("verdict_artifacts wants a dict of verdicts by host, got %s" % type(verdicts).__name__)
    return _published.publish(verdicts, fail_on)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"verdict_artifacts": verdict_artifacts}
