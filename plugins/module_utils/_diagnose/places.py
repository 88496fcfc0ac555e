# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where findings are (private, pure): nodes, routes, devices, pods and gaps, as keys under which causes and consequences meet.

A path or probe is where its packets pass. They are walked again through the observed routes, a probe's answers too: an
answer takes the routes of the destination's node. A way that is as it must be says that no route was to blame.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Dict, Hashable, Iterator, List, Optional, Tuple

from .._expected import address_of, owns_block_routes
from .._late import is_late
from .._merge import CHANGED_BETWEEN, NOBODY
from .._model import INCONCLUSIVE, Finding, Node, Path, Pod
from .._names import VXLAN_DEVICE
from .._peering import Peering
from .._prefix import Prefix, prefix, prefix_or_none
from .._shards import NONE_THERE, SHARD, UNASSIGNED

if TYPE_CHECKING:
    from .._checks.case import Case

Keys = Iterator[Hashable]
Ends = Tuple[Pod, Pod]
_NOBODY = re.compile(re.escape(NOBODY) + r"(?:: (?P<shard>\S+) is |$)")
_DECIDES = ("routes", "rules", "neighbours", "fdb")  # what a walk cannot do without


def _prefix(finding: Finding) -> Optional[Prefix]:
    return prefix_or_none(finding.subject.prefix or finding.subject.ip)


class Places:
    """The places of the findings of one case."""

    def __init__(self, case: "Case") -> None:
        self.case = case
        self._walks: Dict[Tuple[str, Optional[str]], List[Path]] = {}

    # -- paths and probes ---------------------------------------------------------------------------------------

    def ends(self, finding: Finding) -> Optional[Ends]:
        """The two pods of a path or probe; None for any other finding, or for pods that are not in the snapshot."""
        if finding.subject.kind not in ("Path", "Probe"):
            return None
        pods = [
            self.case.pods_by_name.get((name.partition("/")[0], name.partition("/")[2]))
            for name in (finding.subject.name or "").split(" → ")
        ]
        if len(pods) != 2 or pods[0] is None or pods[1] is None or not (address_of(pods[0]) and address_of(pods[1])):
            return None
        return pods[0], pods[1]

    def _ways(self, finding: Finding) -> List[Path]:
        """The ways of its packets that are not as they must be: there, and for a probe back as well."""
        ends = self.ends(finding)
        if ends is None:
            return []
        memo = (finding.subject.kind, finding.subject.name)
        if memo not in self._walks:
            turns = [ends] if finding.subject.kind == "Path" else [ends, ends[::-1]]
            walked = [self.case.network.walk(*turn) for turn in turns]
            wanted = 63 if ends[0].node == ends[1].node else 62
            self._walks[memo] = [path for path in walked if (path.outcome, path.ttl) != ("delivered", wanted)]
        return self._walks[memo]

    # -- nodes --------------------------------------------------------------------------------------------------

    def node(self, finding: Finding) -> Keys:
        """The node it was found on."""
        if finding.node:
            yield finding.node

    def end_nodes(self, finding: Finding) -> Keys:
        """The nodes of the two pods."""
        for pod in self.ends(finding) or ():
            yield pod.node

    def nodes(self, finding: Finding) -> Keys:
        """The node it was found on, the node it is about, and those that its packets pass."""
        yield from self.node(finding)
        if finding.subject.name in self.case.nodes:
            yield finding.subject.name
        yield from self.end_nodes(finding)
        for path in self._ways(finding):
            for hop in path.hops:
                yield hop.place

    # -- routes -------------------------------------------------------------------------------------------------

    def prefix(self, finding: Finding) -> Keys:
        """Its prefix, wherever it is."""
        own = _prefix(finding)
        if own is not None:
            yield own

    def around(self, finding: Finding) -> Keys:
        """Every prefix that holds its own; of a path or probe, those that hold an address where packets get lost."""
        targets = [path.destination_address for path in self._ways(finding)]
        inner = [prefix(target) for target in targets] if self.ends(finding) else [_prefix(finding)]
        for one in inner:
            if one is not None:
                yield from one.around()

    def route(self, finding: Finding) -> Keys:
        """Its prefix on its node."""
        own = _prefix(finding)
        if own is not None and finding.node:
            yield finding.node, own

    def routes_met(self, finding: Finding) -> Keys:
        """Every prefix that holds the destination, on each node that the packets reach."""
        for path in self._ways(finding):
            for hop in path.hops:
                for outer in prefix(path.destination_address).around():
                    yield hop.place, outer

    # -- devices and tunnels ------------------------------------------------------------------------------------

    def device(self, finding: Finding) -> Keys:
        """Its device, on its node."""
        yield finding.node, finding.subject.name

    def devices(self, finding: Finding) -> Keys:
        """The devices that its routes name, on its node; or that its packets leave by."""
        for name in re.findall(r"\bdev (\S+)", finding.expected + " " + finding.actual):
            yield finding.node, name
        for path in self._ways(finding):
            for hop in path.hops:
                yield hop.place, hop.device

    def vtep(self, finding: Finding) -> Keys:
        """The other node's tunnel end, as seen from its node."""
        yield finding.node, finding.subject.name

    def vteps(self, finding: Finding) -> Keys:
        """The tunnel ends that its packets are sent to."""
        for path in self._ways(finding):
            owner = self.case.pods_by_address.get(path.destination_address)
            for hop in path.hops:
                if hop.device == VXLAN_DEVICE and owner:
                    yield hop.place, owner[0].node

    # -- pods ---------------------------------------------------------------------------------------------------

    def pods(self, finding: Finding) -> Keys:
        """Its pod, by name or address; the two of a path or probe."""
        subject = finding.subject
        ends = self.ends(finding)
        if ends is not None:
            for pod in ends:
                yield pod.namespace, pod.name
        elif subject.namespace and subject.name:
            yield subject.namespace, subject.name
        else:
            address = subject.ip or (subject.prefix or "").partition("/32")[0]
            for pod in self.case.pods_by_address.get(address, ()):
                yield pod.namespace, pod.name

    def probe(self, finding: Finding) -> Keys:
        """The probe itself."""
        if finding.subject.kind == "Probe":
            yield finding.subject

    # -- BGP ----------------------------------------------------------------------------------------------------

    def session(self, finding: Finding) -> Keys:
        """The two ends of a session: nodes, or the address of a peer that is none."""
        yield frozenset((finding.node, finding.subject.name or finding.subject.ip))

    @cached_property
    def peering(self) -> Peering:
        """Who peers with whom."""
        return Peering(self.case.expectation)

    def sessionless(self, finding: Finding) -> Keys:
        """Which end of a lost session has none left: there the cause is, and not at each of its peers."""
        yield from self.peering.to_blame(finding.node, finding.subject.name or finding.subject.ip)

    def sessionless_here(self, finding: Finding) -> Keys:
        """The same, where it is the node itself; or a peer that cannot tell of itself."""
        for end in self.sessionless(finding):
            if end == finding.node or not self.peering.speaks(end):
                yield end

    def alone(self, finding: Finding) -> Keys:
        """Its node, where that has no session by its own word, whatever its peers still believe."""
        if self.peering.hears_nobody(finding.node):
            yield finding.node

    def withdrawn(self, finding: Finding) -> Keys:
        """The ends of the session by which a route of BIRD's would have come; and each of the two nodes that it is between.

        Nothing for Felix's routes.
        """
        pool = self.case.expectation.pool_of(finding.subject.prefix) if finding.subject.prefix else None
        if pool is not None and owns_block_routes(pool) == "bird" and finding.actual == "no route":
            yield from self.session(finding)
            parted = self.peering.parting(finding.node, finding.subject.name)
            if parted is not None:
                yield parted
            yield from (finding.node, finding.subject.name)

    # -- gaps ---------------------------------------------------------------------------------------------------

    def gap(self, finding: Finding) -> Keys:
        """What could not be seen, where: the same words from whichever check missed it."""
        if finding.outcome != INCONCLUSIVE:
            return
        if self.ends(finding) is None or finding.subject.kind == "Probe" or finding.evidence == self.case.doubt.evidence:
            yield finding.evidence
        for node in self._unseen_nodes(finding):
            if node.facts is None:
                yield node.name, None
            for entry in node.facts.unobserved if node.facts else ():
                if entry.what in _DECIDES:
                    yield node.name, entry.command, "%s: %s" % (entry.what, entry.reason)

    def deadline(self, finding: Finding) -> Keys:
        """That it was not read in time, whatever it is."""
        if finding.outcome == INCONCLUSIVE and is_late(finding.actual):
            yield "deadline"

    def shard(self, finding: Finding) -> Keys:
        """The shard that it is about."""
        if finding.subject.kind == "Shard":
            yield from (finding.subject.name, NONE_THERE)
        else:
            yield from self.want_of_shard(finding)

    def want_of_shard(self, finding: Finding) -> Keys:
        """The shard for want of which it was not seen; of a shard none, for each is told by its own name."""
        if finding.subject.kind == "Shard":
            return
        if finding.evidence == self.case.doubt.evidence or CHANGED_BETWEEN in finding.actual:
            yield CHANGED_BETWEEN
        elif finding.outcome == INCONCLUSIVE:
            nobody = _NOBODY.search(finding.actual)
            if nobody:
                yield nobody["shard"] or UNASSIGNED[len(SHARD) :]
            if NONE_THERE in finding.actual:
                yield NONE_THERE

    def grant(self, finding: Finding) -> Keys:
        """The rule that lacks, in words: one that is missing refuses the exec into every pod of a namespace."""
        _before, words, what = finding.actual.partition("Grant verb")
        if finding.outcome == INCONCLUSIVE and words:
            yield words + what

    def reason(self, finding: Finding) -> Keys:
        """Why something of the subject was not seen: the same, whichever piece of evidence it was."""
        _what, colon, why = finding.actual.partition(": ")
        if finding.outcome == INCONCLUSIVE and colon:
            yield finding.node, finding.subject, why

    def gap_nodes(self, finding: Finding) -> Keys:
        """The node on which something could not be seen."""
        if finding.outcome != INCONCLUSIVE:
            return
        if self.ends(finding) is None:
            yield from self.node(finding)
        elif finding.subject.kind == "Probe":
            yield from self.end_nodes(finding)
        for node in self._unseen_nodes(finding):
            yield node.name

    def _unseen_nodes(self, finding: Finding) -> Iterator[Node]:
        """The nodes at which a walk ends because nothing is known of their routes; and a node of which nothing was read."""
        for path in self._ways(finding):
            node = self.case.nodes.get(path.hops[-1].place)
            if node is not None and path.outcome == "unknown" and (path.hops[-1].route is None or path.hops[-1].device == VXLAN_DEVICE):
                yield node
        own = self.case.nodes.get(finding.node or "")
        if own is not None and own.facts is None and self.ends(finding) is None:
            yield own
