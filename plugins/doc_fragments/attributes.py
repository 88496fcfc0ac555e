# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules support, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules that read and never change anything."""

    DOCUMENTATION = r"""
options: {}
notes:
  - The module changes nothing in any cluster.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status without modifying anything.
    support: full
    details: The module changes nothing; in check mode it does the same.
  diff_mode:
    description: Returns details of what has changed or would change when in C(diff) mode.
    support: N/A
    details: The module changes nothing.
  platform:
    description: Where the module can run.
    support: full
    platforms: posix
"""

    CLUSTER = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/podnet.calico.calico) in C(module_defaults) to set its options for all modules at once.
    support: full
    membership:
      - podnet.calico.calico
"""
