# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of the modules that judge."""

from __future__ import annotations


class ModuleDocFragment:
    """What makes the task fail, how much it returns, where the whole verdict goes."""

    DOCUMENTATION = r"""
options:
  fail_on:
    description:
      - The outcomes that fail the task. V([]) only reports.
    type: list
    elements: str
    choices: [failed, warning, inconclusive]
    default: [failed, inconclusive]
  max_findings:
    description:
      - How many findings are returned at most. The file of O(verdict_path) has all; RV(msg) says when some are left out.
    type: int
    default: 200
  verdict_path:
    description:
      - Where to write the whole verdict as JSON, on success and on failure. Its folder must exist. Check mode writes nothing.
    type: path
  snapshot_path:
    description:
      - Where to keep what was judged, to judge or look at it again. Check mode writes nothing.
    type: path
notes:
  - Each check ends, for each node, in one of V(passed), V(failed), V(warning), V(skipped) and V(inconclusive). What could
    not be observed, and what the engine does not model, is V(inconclusive) and never V(passed).
"""
