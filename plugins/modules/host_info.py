#!/usr/bin/python
# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine is that a lab is to be built on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Says what a machine is and has of what a Docker-based lab needs
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
description:
  - Reads in one task what the role C(podnet.calico.host_prep) decides by, distribution, kernel, memory, disk, routes, sysctls,
    missing packages and the Docker engine. It judges nothing; the filter P(podnet.calico.host_judgement#filter) does.
  - As root it sees everything. An ordinary user who may not use Docker's socket gets the rest, and the reason in
    RV(host.docker.problem).
  - It needs nothing but Python on the host. On a kernel that publishes neither modules nor configuration it makes a device of the
    wanted kind in a network namespace of its own, which is gone when it ends.
options:
  kernel_modules:
    description: Modules of the kernel to look for.
    type: list
    elements: str
    default: []
  sysctls:
    description: Numeric parameters of the kernel to read, V(net.ipv4.ip_forward).
    type: list
    elements: str
    default: []
  packages:
    description:
      - What to look for, by the package that brings it. The value is V(command:NAME), V(file:PATH), or V(module:NAME) for a module
        of the Python that runs this.
    type: dict
    default: {}
  users:
    description: Users to look for.
    type: list
    elements: str
    default: []
  docker_socket:
    description: The socket at which the Docker engine answers.
    type: path
    default: /var/run/docker.sock
extends_documentation_fragment:
  - podnet.calico.attributes
"""

EXAMPLES = r"""
- name: Look at the host
  podnet.calico.host_info:
    kernel_modules: [overlay, vxlan]
    sysctls: [net.ipv4.ip_forward]
    packages:
      iproute2: "command:ip"
  become: true
  register: looked

- name: Show whether Docker answers
  ansible.builtin.debug:
    var: looked.host.docker.version
"""

RETURN = r"""
host:
  description: The machine.
  returned: always
  type: dict
  contains:
    uid:
      description: The user who looked.
      type: int
      sample: 0
    user:
      description: That user's name.
      type: str
      sample: root
    distribution:
      description: C(id), C(version) and C(name), as os-release has them.
      type: dict
      sample: {id: debian, version: "12", name: Debian GNU/Linux 12 (bookworm)}
    architecture:
      description: As C(uname -m) has it.
      type: str
      sample: x86_64
    cgroup:
      description: The version of control groups.
      type: int
      sample: 2
    first_process:
      description: The name of process 1, and whether systemd was booted.
      type: dict
      sample: {name: systemd, systemd: true}
    memory_mb:
      description: All memory, in MiB.
      type: int
      sample: 7947
    disk_free_mb:
      description: What is free where Docker keeps its data, in MiB.
      type: int
      sample: 40210
    time:
      description: The clock, in seconds since 1970.
      type: float
      sample: 1795420800.5
    apparmor:
      description: Whether the kernel confines by AppArmor.
      type: bool
      sample: false
    modular:
      description: Whether modules can be loaded into the kernel.
      type: bool
      sample: true
    kernel_modules:
      description: The state of each module that was asked for, V(built in), V(loaded), V(loadable), V(absent) or V(unknown).
      type: dict
      sample: {overlay: loaded, vxlan: loadable}
    sysctls:
      description: The value of each parameter that was asked for, and whether this user may set it.
      type: dict
      sample: {net.ipv4.ip_forward: {value: 1, writable: true}}
    routes:
      description: The IPv4 routes of the main table but the default ones.
      type: list
      elements: dict
      sample: [{destination: 172.17.0.0/16, device: docker0}]
    missing:
      description: The packages of O(packages) that are missing.
      type: list
      elements: str
      sample: [iproute2]
    unknown_users:
      description: The users of O(users) that do not exist.
      type: list
      elements: str
      sample: []
    docker:
      description: The Docker engine, its version, data folder and networks, and what is wrong with it or its configuration.
      type: dict
      contains:
        running:
          description: Whether it answers.
          type: bool
        problem:
          description: Why it does not.
          type: str
        version:
          description: Its version.
          type: str
        root:
          description: Where it keeps its data.
          type: str
        networks:
          description: Its networks, each with name, subnets and bridge.
          type: list
          elements: dict
        init:
          description: Whether its configuration puts an init of its own into every container.
          type: bool
        configuration_fault:
          description: Why its configuration file cannot be read; empty where it can.
          type: str
        snap:
          description: Whether it is installed as a snap.
          type: bool
        program:
          description: Where its program is; empty where there is none.
          type: str
      sample: {running: true, version: 20.10.24, root: /var/lib/docker}
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.podnet.calico.plugins.module_utils._host import docker, kernel, machine


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "kernel_modules": {"type": "list", "elements": "str", "default": []},
            "sysctls": {"type": "list", "elements": "str", "default": []},
            "packages": {"type": "dict", "default": {}},
            "users": {"type": "list", "elements": "str", "default": []},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
        },
        supports_check_mode=True,
    )

    def attempt(words):
        return machine.command(words[0]) is not None and module.run_command(words)[0] == 0

    engine = docker.engine(module.params["docker_socket"])
    engine["program"] = machine.command("dockerd") or ""
    module.exit_json(
        changed=False,
        host={
            "uid": os.geteuid(),
            "user": machine.user_name(),
            "distribution": machine.distribution(),
            "architecture": os.uname().machine,
            "cgroup": machine.cgroup_version(),
            "first_process": machine.first_process(),
            "memory_mb": machine.memory_mb(),
            "disk_free_mb": machine.free_mb(engine["root"]),
            "time": time.time(),
            "apparmor": machine.has_apparmor(),
            "modular": kernel.is_modular(),
            "kernel_modules": kernel.module_states(module.params["kernel_modules"], attempt=attempt),
            "sysctls": machine.sysctls(module.params["sysctls"]),
            "routes": machine.routes(),
            "missing": machine.missing(module.params["packages"]),
            "unknown_users": [name for name in module.params["users"] if not machine.is_user(name)],
            "docker": engine,
        },
    )


if __name__ == "__main__":
    main()
