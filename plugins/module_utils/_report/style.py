# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's style sheet (private): no font, image or script from anywhere, light and dark by the reader's own setting."""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark;
  --ink: #17212b; --soft: #5a6775; --ground: #f6f7f9; --card: #ffffff; --line: #dfe4ea; --code: #f0f3f6; --accent: #0b6bcb;
  --passed: #14804a; --passed-bg: #e5f5ec; --failed: #c0262d; --failed-bg: #fdeaea; --warning: #9a6200; --warning-bg: #fdf3dc;
  --inconclusive: #6b4bb8; --inconclusive-bg: #f0ebfb; --skipped: #5a6775; --skipped-bg: #eceff2; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6ebf0; --soft: #9aa7b4; --ground: #10161c; --card: #18212a; --line: #2b3742; --code: #0f1820; --accent: #6cb3ff;
  --passed: #5fd39a; --passed-bg: #12301f; --failed: #ff8a8a; --failed-bg: #3a171a; --warning: #f0bf5a; --warning-bg: #33270d;
  --inconclusive: #bda4ff; --inconclusive-bg: #261d3d; --skipped: #9aa7b4; --skipped-bg: #212b35; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; }
a { color: var(--accent); }
.skip { position: absolute; left: -999px; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem; }
.layout { display: grid; grid-template-columns: 15rem minmax(0, 1fr); max-width: 82rem; margin: 0 auto; gap: 2.5rem;
  padding: 0 1.5rem 4rem; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 2rem 0; font-size: .875rem; }
nav strong { display: block; margin: 1.1rem 0 .3rem; color: var(--soft); font-size: .72rem; letter-spacing: .08em;
  text-transform: uppercase; }
nav a { display: flex; gap: .5rem; align-items: baseline; padding: .18rem 0; color: var(--ink); text-decoration: none; }
nav a:hover { color: var(--accent); }
main { padding-top: 2rem; min-width: 0; }
h1 { font-size: 1.35rem; margin: 0; letter-spacing: -.01em; } h2 { font-size: 1.3rem; margin: 3rem 0 1rem; letter-spacing: -.01em; }
h3 { font-size: 1.06rem; margin: 0; } p { margin: .6rem 0; max-width: 46rem; }
.soft { color: var(--soft); font-size: .875rem; }
.verdict { border-radius: 14px; padding: 1.4rem 1.6rem; background: var(--card); border: 1px solid var(--line);
  border-left: 8px solid var(--line); }
.verdict.passed { border-left-color: var(--passed); } .verdict.failed { border-left-color: var(--failed); }
.verdict .headline { font-size: 1.5rem; font-weight: 650; margin: .35rem 0 .2rem; line-height: 1.3; max-width: none;
  overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem; margin: 1rem 0 0; padding: 0;
  list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .7rem .9rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles .zero b { color: var(--soft); font-weight: 400; }
.badge { display: inline-block; border-radius: 999px; padding: .08rem .6rem; font-size: .78rem; font-weight: 600; white-space: nowrap; }
.dot { flex: none; width: .6rem; height: .6rem; border-radius: 50%; background: var(--skipped); }
""" + "".join(
    ".badge.%(o)s { color: var(--%(o)s); background: var(--%(o)s-bg); } .dot.%(o)s { background: var(--%(o)s); } "
    ".tiles .%(o)s:not(.zero) b { color: var(--%(o)s); }\n" % {"o": outcome}
    for outcome in ("passed", "failed", "warning", "inconclusive", "skipped")
) + """
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; margin: 1rem 0; overflow: hidden; }
.card > header { display: flex; gap: .9rem; align-items: baseline; padding: 1rem 1.3rem .2rem; flex-wrap: wrap; }
.card > header .badge { margin-left: auto; }
.card .inner { padding: .2rem 1.3rem 1.2rem; }
.number { font-variant-numeric: tabular-nums; font-weight: 700; color: var(--accent); min-width: 2.2rem; }
.shows { color: var(--soft); margin-top: .2rem; }
.meaning { border-left: 3px solid var(--accent); padding-left: .9rem; }
.note { border-left: 3px solid var(--warning); padding-left: .9rem; font-size: .92rem; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 9px; padding: .75rem .95rem; margin: .6rem 0;
  overflow-x: auto;
  font: .82rem/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; tab-size: 8; }
pre .prompt { color: var(--soft); user-select: none; } pre .command { font-weight: 650; }
code { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Consolas, monospace; font-size: .86em; }
.where { margin: .9rem 0 -.2rem; font-size: .8rem; color: var(--soft); }
.wide { overflow-x: auto; margin: .7rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; }
th { text-align: left; color: var(--soft); font-weight: 600; } th, td { padding: .38rem .8rem .38rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; } td:last-child, th:last-child { padding-right: 0; }
dl { display: grid; grid-template-columns: 6.2rem minmax(0, 1fr); gap: .3rem 1rem; margin: .8rem 0; } dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; } details { margin: .7rem 0; } summary { cursor: pointer; color: var(--accent); }
figure { margin: 1rem 0; } figcaption { color: var(--soft); font-size: .86rem; }
figure .wide { margin: 0; } svg.path { display: block; }
.box { fill: var(--code); stroke: var(--line); stroke-width: 1.5; } .box.node { stroke: var(--accent); }
  .box.lost { stroke: var(--failed); fill: var(--failed-bg); }
svg .name { font: 600 13px system-ui, sans-serif; fill: var(--ink); } svg .small { font: 11.5px ui-monospace, "DejaVu Sans Mono",
  monospace; fill: var(--soft); }
svg .ttl { font: 600 12px system-ui, sans-serif; fill: var(--passed); } svg .device { font: 10px ui-monospace, "DejaVu Sans Mono",
  monospace; fill: var(--soft); }
.wire { stroke: var(--soft); stroke-width: 1.6; } .head { fill: var(--soft); }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 60rem) { .layout { grid-template-columns: minmax(0, 1fr); gap: 0; padding: 0 1rem 3rem; } nav { position: static;
  max-height: none; padding-bottom: 0; } nav .list { columns: 2; } }
@media print { nav { display: none; } .layout { display: block; } body { background: #fff; } .card { break-inside: avoid; } }
"""
