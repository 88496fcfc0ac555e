# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of dictionaries for the tests of faults: three nodes whose kernel does what `ip` and the like tell it, and IPAM's objects."""

from __future__ import annotations

import copy
import hashlib
import re

from ansible_collections.podnet.calico.plugins.module_utils._errors import CONFLICT, NOT_FOUND, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import (
    CRD,
    FakeCluster,
    calico_node,
    node,
    pod,
)

UUID = "5f0c7a52"
MARK = "/api/v1/namespaces/kube-system/configmaps/podnet-lab"
ADDRESSES = {"lab-control-plane": "172.18.0.2", "lab-worker": "172.18.0.3", "lab-worker2": "172.18.0.4"}
BASES = {"lab-control-plane": "192.168.116.0", "lab-worker": "192.168.93.192", "lab-worker2": "192.168.112.192"}
_BIRD = "birdcl -s /var/run/calico/bird.ctl"


def address(name, ordinal):
    """The ordinal-th address of a node's block."""
    start, _dot, last = BASES[name].rpartition(".")
    return "%s.%d" % (start, int(last) + ordinal)


def device(name):
    """The host's side of a pod of namespace default."""
    return "cali" + hashlib.sha1(("default." + name).encode()).hexdigest()[:11]


class Kernel:
    """One node, as text; ``do`` does what a command says, for the commands that faults use."""

    def __init__(self, name):
        others = [other for other in ADDRESSES if other != name]
        self.pods = {"a-" + name: address(name, 1), "b-" + name: address(name, 2)}
        self.routes = ["default via 172.18.0.1 dev eth0", "blackhole %s/26 proto 80" % BASES[name]]
        self.routes += ["%s/26 via %s dev eth0 proto 80 onlink" % (BASES[other], ADDRESSES[other]) for other in others]
        self.routes += ["%s dev %s scope link" % (ip, device(pod_name)) for pod_name, ip in self.pods.items()]
        self.links = {dev: [1450, "UP"] for dev in ["vxlan.calico"] + [device(pod_name) for pod_name in self.pods]}
        self.links["eth0"] = [1500, "UP"]
        self.addresses = {"eth0": ADDRESSES[name] + "/16", "vxlan.calico": BASES[name] + "/32"}
        self.sysctls = {"net/ipv4/ip_forward": "1"}
        self.sysctls.update({"net/ipv4/conf/%s/proxy_arp" % device(pod_name): "1" for pod_name in self.pods})
        self.rules = ["0: from all lookup local", "32766: from all lookup main"]
        self.neighbours = ["%s dev vxlan.calico lladdr 66:00:00:00:00:01 PERMANENT" % BASES[other] for other in others]
        self.sessions = {"Mesh_" + ADDRESSES[other].replace(".", "_"): "up" for other in others}
        self.pools = ["192.168.0.0/16"]
        self.said = []

    def sections(self):
        """What the node's commands print."""
        links = "".join("%d: %s: <%s> mtu %d state UP\n" % (i, n, f, m) for i, (n, (m, f)) in enumerate(sorted(self.links.items()), 1))
        addresses = ""
        for number, (dev, ip) in enumerate(sorted(self.addresses.items()), 1):
            addresses += "%d: %s: <UP> mtu 1500 state UP\n    inet %s scope global %s\n" % (number, dev, ip, dev)
        protocols = "BIRD v0.3.3 ready.\nname proto table state since info\n"
        for name, state in self.sessions.items():
            protocols += "%s BGP master %s 10:00:00 %s\n" % (name, state, "Established" if state == "up" else "")
        return {
            "links": links,
            "addresses": addresses,
            "routes": "\n".join(self.routes) + "\n",
            "rules": "\n".join(self.rules) + "\n",
            "neighbours": "\n".join(self.neighbours) + "\n",
            "fdb": "",
            "sysctls": "".join("/proc/sys/%s:%s\n" % pair for pair in self.sysctls.items()),
            "ipset.cali40all-ipam-pools": "Name: x\nMembers:\n",
            "ipset.cali40masq-ipam-pools": "Name: x\nMembers:\n" + "".join(pool + "\n" for pool in self.pools),
            "nat.nft": "rule",
            "bird.protocols": protocols,
            "bird.routes": "BIRD v0.3.3 ready.\n172.18.0.0/16 dev eth0 [direct1 10:00:00] * (240)\n",
        }

    def do(self, command):
        """Change as the command says; a command that nobody here knows is an error of the test."""
        self.said.append(command)
        for pattern, method in self.KNOWN:
            match = re.fullmatch(pattern, command)
            if match:
                return method(self, *match.groups())
        raise AssertionError("the fake kernel does not know «%s»" % command)

    def _replace_route(self, text):
        key = self._key(text)
        self.routes = [text if self._key(one) == key else one for one in self.routes]
        if text not in self.routes:
            self.routes.append(text)

    @staticmethod
    def _key(text):
        metric = re.search(r"metric (\d+)", text)
        return (re.sub(r"^(blackhole) ", "", text).split()[0], metric.group(1) if metric else "0")

    def _set_link(self, dev, word, value):
        if word in ("up", "down"):
            self.links[dev][1] = {"up": "UP", "down": "BROADCAST"}[word]
        else:
            self.links[dev][0] = int(value)

    def _delete_link(self, dev):
        """As the kernel does it; and Felix, who makes it anew, is at once here."""
        del self.links[dev], self.addresses[dev]

    def _neighbour(self, verb, ip, dev, rest):
        self.neighbours = [one for one in self.neighbours if not one.startswith("%s dev %s " % (ip, dev))]
        if verb == "replace":
            mac, state = re.fullmatch(r" lladdr (\S+) nud (\S+)", rest).groups()
            self.neighbours.append("%s dev %s lladdr %s %s" % (ip, dev, mac, state.upper()))

    def _rule(self, verb, priority, text):
        line = "%s: %s" % (priority, text)
        self.rules.append(line) if verb == "add" else self.rules.remove(line)

    def _set_sysctl(self, value, key):
        self.sysctls[key] = value

    def _switch(self, verb, name):
        self.sessions[name] = {"enable": "up", "disable": "down"}[verb]

    def _pool(self, verb, cidr):
        self.pools.append(cidr) if verb == "add" else self.pools.remove(cidr)

    KNOWN = (
        (r"ip route replace (.*)", _replace_route),
        (r"ip route del (.*)", lambda self, text: self.routes.remove(text)),
        (r"ip link set dev (\S+) (up|down|mtu)(?: (\d+))?", _set_link),
        (r"ip link del dev (\S+)", _delete_link),
        (r"ip neigh (del|replace) (\S+) dev (\S+)(.*)", _neighbour),
        (r"ip rule (add|del) priority (\d+) (.*)", _rule),
        (r"sh -c echo (\S+) > /proc/sys/(\S+)", _set_sysctl),
        (_BIRD + r" (enable|disable) (\S+)", _switch),
        (r"ipset (add|del) cali40masq-ipam-pools (\S+)", _pool),
    )


class FakeLab(FakeCluster):
    """``objects``: API path → raw object; every write makes another resourceVersion and is in ``writes``."""

    def __init__(self):
        super().__init__()
        self.kernels = {name: Kernel(name) for name in ADDRESSES}
        self.objects = {MARK: {"metadata": {"name": "podnet-lab"}, "immutable": True, "data": {"uuid": UUID}}}
        self.writes = []
        self.before_write = lambda method, path: None
        self.lists["/api/v1/nodes"] = [self._node(name) for name in ADDRESSES]
        self.lists["/api/v1/pods"] = [calico_node(name, ip) for name, ip in ADDRESSES.items()]
        for item in self.lists["/api/v1/nodes"]:
            self.objects["/api/v1/nodes/" + item["metadata"]["name"]] = copy.deepcopy(item)
        for name, kernel in self.kernels.items():
            for pod_name, ip in kernel.pods.items():
                self.lists["/api/v1/pods"].append(pod(pod_name, name, ip))
                self.objects["/api/v1/namespaces/default/pods/" + pod_name] = pod(pod_name, name, ip)
            self._ipam(name, kernel)
        self.lists[CRD + "ippools"][0]["spec"].update(vxlanMode="CrossSubnet", natOutgoing=True)
        for item in self.objects.values():
            item["metadata"]["resourceVersion"] = "1"

    @staticmethod
    def _node(name):
        made = node(name, ADDRESSES[name])
        made["metadata"]["annotations"]["projectcalico.org/IPv4VXLANTunnelAddr"] = BASES[name]
        if name.endswith("control-plane"):
            made["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
        return made

    def _ipam(self, name, kernel):
        handles = {ip: "k8s-pod-network." + hashlib.sha256(pod_name.encode()).hexdigest() for pod_name, ip in kernel.pods.items()}
        attributes = [{"handle_id": "vxlan-tunnel-addr-" + name, "secondary": {"node": name, "type": "vxlanTunnelAddress"}}]
        for pod_name, ip in kernel.pods.items():
            secondary = {"namespace": "default", "node": name, "pod": pod_name}
            attributes.append({"handle_id": handles[ip], "secondary": secondary})
            self._add("ipamhandles", "IPAMHandle", handles[ip], {"handleID": handles[ip], "block": {BASES[name] + "/26": 1}})
        cidr = BASES[name] + "/26"
        spec = {
            "cidr": cidr, "affinity": "host:" + name, "deleted": False, "attributes": attributes,
            "allocations": [0, 1, 2] + [None] * 61, "unallocated": list(range(3, 64)),
        }  # fmt: skip
        slug = cidr.replace(".", "-").replace("/", "-")
        self._add("ipamblocks", "IPAMBlock", slug, spec)
        affinity = {"cidr": cidr, "node": name, "state": "confirmed", "type": "host", "deleted": "false"}
        self._add("blockaffinities", "BlockAffinity", "%s-%s" % (name, slug), affinity)

    def _add(self, plural, kind, name, spec):
        body = {"apiVersion": "crd.projectcalico.org/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.objects[CRD + plural + "/" + name] = body

    def list(self, path, convert, label_selector=None):
        """The objects of a collection of Calico's, too."""
        found = [item for name, item in self.objects.items() if path.startswith(CRD) and name.rpartition("/")[0] == path]
        return [convert(item) for item in found] if found else super().list(path, convert, label_selector)

    def get(self, path):
        """An object, too."""
        return copy.deepcopy(self.objects[path]) if path in self.objects else super().get(path)

    def write(self, method, path, body=None):
        """As an API server: conflicts by resourceVersion, a merge patch of metadata."""
        self.before_write(method, path)
        self.writes.append((method, path))
        if method == "post":
            path += "/" + body["metadata"]["name"]
            if path in self.objects:
                raise PodnetError("POST %s: already exists" % path, reason=CONFLICT)
            self.objects[path] = copy.deepcopy(body)
        elif path not in self.objects:
            raise PodnetError("%s %s: not found" % (method, path), reason=NOT_FOUND)
        elif method == "delete":
            return self.objects.pop(path)
        elif body["metadata"]["resourceVersion"] != self.objects[path]["metadata"]["resourceVersion"]:
            raise PodnetError("%s %s: the object has been modified" % (method, path), reason=CONFLICT)
        elif method == "put":
            self.objects[path] = copy.deepcopy(body)
        else:
            self._patch_annotations(self.objects[path]["metadata"], body["metadata"]["annotations"])
        self.touch(path)
        return self.objects[path]

    @staticmethod
    def _patch_annotations(metadata, wanted):
        annotations = dict(metadata.pop("annotations", {}), **wanted)
        annotations = {key: value for key, value in annotations.items() if value is not None}
        if annotations:
            metadata["annotations"] = annotations

    def touch(self, path):
        """Somebody wrote the object."""
        self.versions = getattr(self, "versions", 1) + 1
        self.objects[path]["metadata"]["resourceVersion"] = str(self.versions)

    def exec(self, namespace, pod, container, argv, limit=0, timeout=None, on_stderr=None, attempts=3):
        """The script that reads a node, or a command that changes it."""
        kernel = self.kernels[pod[len("calico-node-") :]]
        if argv[0] != "sh" or not argv[2].startswith("m="):
            self.execs.append((pod, " ".join(argv), attempts))
            if (namespace, pod) in self.refused:
                return self.refused[(namespace, pod)]
            kernel.do(" ".join(argv))
            return ExecResult(code=0)
        mark = argv[2].split("\n")[0][2:]
        out = "".join("\n%s %s\n%s\n%s = 0\n" % (mark, name, text, mark) for name, text in kernel.sections().items())
        return ExecResult(out.encode(), b"", 0)

    def state(self):
        """Everything that a fault may change, without resourceVersions."""
        objects = copy.deepcopy(self.objects)
        for item in objects.values():
            item["metadata"].pop("resourceVersion", None)
        kernels = {
            name: {key: sorted(value) if isinstance(value, list) else dict(value) for key, value in vars(kernel).items() if key != "said"}
            for name, kernel in self.kernels.items()
        }
        return copy.deepcopy((objects, kernels))
