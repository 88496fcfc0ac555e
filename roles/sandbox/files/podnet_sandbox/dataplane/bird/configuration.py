# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bird.cfg, as confd's templates render it for Calico's BIRD. Pure.

Source: calico-facts 10; FINDINGS A13 (the node with the lower address waits). One text for BIRD 1.6 (Calico's own)
and one for BIRD 2: they differ in where the channel's options stand, and BIRD 2 would give its routes metric 32
where Calico's carry none. The order of the protocols is that of the recordings: static1, kernel1, device1, direct1.
"""

from __future__ import annotations

from ..bgp_filters import HIGHEST_PREFERENCE, function_name
from ..desired import Bgp, BgpFilter, BgpPeer

#: Seconds. Calico's are 2 and 5; a mesh on one machine that is built anew for each lesson need not wait so long.
_CONNECT_DELAY = 1
_CONNECT_RETRY = 1
#: Later by this where both ends call: at the same second they would break off each other's call again and again.
_COURTESY = 2
#: What a route gets that is better than an ordinary one.
_ELEVATED = 200


def render(bgp: Bgp, *, major: int) -> str:
    """The configuration for BIRD ``major`` (1 or 2)."""
    parts = [
        f"router id {bgp.router_id};",
        *([f"listen bgp port {bgp.listen_port};"] if bgp.listen_port and major < 2 else []),
        _static(bgp, major),
        _aggregates(bgp),
        _export(bgp),
        _kernel_filter(bgp, major),
        _kernel(major),
        "protocol device { scan time 2; }",
        _direct(major),
        _template(bgp, major),
        *(_filter(each.name, direction, statements) for each in bgp.filters for direction, statements in _directions(each) if statements),
        *(_peer(bgp, peer, major) for peer in bgp.peers),
    ]
    return "\n".join(parts) + "\n"


def _static(bgp: Bgp, major: int) -> str:
    """A blackhole for each own block, to be announced and, outside VXLAN pools, to be programmed."""
    channel = ["ipv4;"] if major >= 2 else []
    return _block("protocol static", [*channel, *(f"route {block} blackhole;" for block in bgp.blocks)])


def _aggregates(bgp: Bgp) -> str:
    """Own blocks are announced whole, nothing inside them."""
    body = []
    for block in bgp.blocks:
        body += [f"if ( net = {block} ) then {{ accept; }}", f"if ( net ~ {block} ) then {{ reject; }}"]
    return _block("function calico_aggr ()", body)


def _export(bgp: Bgp) -> str:
    """What peers hear: own blocks, and whatever lies inside a pool and, within the AS, does not leave by a tunnel."""
    body = [f"if ( net ~ {pool.cidr} ) then {{ reject; }}" for pool in bgp.pools if not pool.export]
    body.append('if ( same_as && defined(ifname) && ( ifname ~ "*.cali" || ifname ~ "*.calico" ) ) then { reject; }')
    body.append("calico_aggr();")
    body += [f"if ( net ~ {pool.cidr} ) then {{ accept; }}" for pool in bgp.pools if pool.export]
    return _block("function calico_export_to_bgp_peers (bool same_as)", body)


def _priority(bgp: Bgp) -> str:
    """From v3.32 on peers are told of a route's metric by what is missing to the highest local preference (FINDINGS D).

    Before the filters, which may ask for it.
    """
    if not bgp.metric:
        return ""
    by_metric = f"if ( defined(krt_metric) ) then {{ bgp_local_pref = {HIGHEST_PREFERENCE} - krt_metric; }}"
    ordinary = f"else {{ bgp_local_pref = {HIGHEST_PREFERENCE - bgp.metric}; }}"
    return f"if ( source != RTS_BGP ) then {{ {by_metric} {ordinary} }} "


def _kernel_filter(bgp: Bgp, major: int) -> str:
    """What goes into the kernel: nothing of a VXLAN pool, Felix owns that; of an IPIP pool what needs no tunl0."""
    body = ["if ( source = RTS_DEVICE ) then { reject; }"] if major >= 2 else []  # 1.6 needs not be told
    for pool in bgp.pools:
        if not pool.program:
            body.append(f"if ( net ~ {pool.cidr} ) then {{ reject; }}")
        elif pool.ipip:
            direct = f" || ( defined(bgp_next_hop) && bgp_next_hop ~ {bgp.subnet} )" if pool.ipip == "CrossSubnet" else ""
            body.append(f"if ( net ~ {pool.cidr} && ! ( source = RTS_STATIC{direct} ) ) then {{ reject; }}")
    if bgp.metric:
        body.append(f"if ( source = RTS_BGP ) then {{ krt_metric = {bgp.metric}; }}")
        better = f"krt_metric = {HIGHEST_PREFERENCE} - bgp_local_pref;"
        body.append(f"if ( source = RTS_BGP && {_elevated(bgp)} ) then {{ {better} }}")
    return _block("filter calico_kernel_programming", [*body, "accept;"])


def _elevated(bgp: Bgp) -> str:
    """The condition that a route is better than an ordinary one of v3.32."""
    return f"bgp_local_pref > {HIGHEST_PREFERENCE - bgp.metric}"


def _preferred(bgp: Bgp) -> str:
    """What is said of a better route when it is heard of; nothing before v3.32."""
    return f"if ( {_elevated(bgp)} ) then {{ preference = {_ELEVATED}; }} " if bgp.metric else ""


def _kernel(major: int) -> str:
    """Learns Felix's routes, leaves its own behind when it ends, looks every 2 s."""
    channel = ["import all;", "export filter calico_kernel_programming;"]
    options = ["learn;", "persist;", "scan time 2;", "graceful restart;", "merge paths on;"]
    if major >= 2:
        return _block("protocol kernel", [f"ipv4 {{ {' '.join(channel)} }};", *options, "metric 0;"])
    return _block("protocol kernel", [*options, *channel])


def _direct(major: int) -> str:
    channel = ["ipv4;"] if major >= 2 else []
    return _block("protocol direct", [*channel, 'interface -"cali*", -"kube-ipvs*", "*";'])


def _template(bgp: Bgp, major: int) -> str:
    learned = f"import filter {{ {_preferred(bgp)}accept; }};" if bgp.metric else "import all;"
    channel = ["gateway recursive;", learned, "add paths on;"]
    port = f" port {bgp.listen_port}" if bgp.listen_port and major >= 2 else ""
    options = [
        'description "Connection to BGP peer";',
        f"local {bgp.router_id}{port} as {bgp.as_number};",
        "multihop;",
        "graceful restart;",
        f"connect delay time {_CONNECT_DELAY};",
        f"connect retry time {_CONNECT_RETRY};",
        "error wait time 1,30;",
    ]
    wrapped = [f"ipv4 {{ {' '.join(channel)} }};"] if major >= 2 else channel
    return _block("template bgp bgp_template", [*options, *wrapped])


def _directions(each: BgpFilter) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("import", each.imports), ("export", each.exports)


def _filter(name: str, direction: str, statements: tuple[str, ...]) -> str:
    """A BGPFilter's rules for one direction, as a function: one that accepts or rejects ends the filter that called it."""
    return _block(f"function {function_name(name, direction)} (bool same_as)", list(statements))


def _calls(bgp: Bgp, peer: BgpPeer, direction: str) -> str:
    """The peer's filters that have rules for the direction, in its order; one that does not exist counts for nothing."""
    same_as = _same_as(bgp, peer)
    there = {each.name for each in bgp.filters for way, statements in _directions(each) if way == direction and statements}
    return "".join(f"{function_name(name, direction)}({same_as}); " for name in peer.filters if name in there)


def _same_as(bgp: Bgp, peer: BgpPeer) -> str:
    return "true" if peer.as_number == bgp.as_number else "false"


def _peer(bgp: Bgp, peer: BgpPeer, major: int) -> str:
    port = f" port {peer.port}" if peer.port else ""
    told = f"{_priority(bgp)}{_calls(bgp, peer, 'export')}calico_export_to_bgp_peers({_same_as(bgp, peer)}); reject;"
    heard = _calls(bgp, peer, "import")
    channel = [f"import filter {{ {heard}{_preferred(bgp)}accept; }};"] if heard else []
    channel += [f"export filter {{ {told} }};"]
    channel += ["next hop keep;"] if peer.keep_next_hop else []
    body = [f"neighbor {peer.address}{port} as {peer.as_number};"]
    body += [f"ipv4 {{ {' '.join(channel)} }};"] if major >= 2 else channel
    body += [f"source address {bgp.router_id};"] if peer.source else []
    if peer.passive:
        body.append("passive on;")
    elif peer.address > bgp.router_id:
        body.append(f"connect delay time {_CONNECT_DELAY + _COURTESY};")
    if peer.client_of:
        body += ["rr client;", f"rr cluster id {peer.client_of};"]
    if peer.password:
        body.append(f'password "{peer.password}";')
    if peer.restart_time:
        body.append(f"graceful restart time {peer.restart_time};")
    return _block(f"protocol bgp {peer.name} from bgp_template", body)


def _block(head: str, body: list[str]) -> str:
    return "\n".join([f"{head} {{", *(f"  {line}" for line in body), "}"])
