"""The style sheet of a report: a phone first, then wider screens; light or dark as the device is."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--panel:#f5f6f8;--text:#1c2128;--quiet:#5b6570;--rule:#d8dde3;
--main:#2463c9;--other:#8a6d1d;--up:#137a45;--down:#b3261e}
@media (prefers-color-scheme:dark){:root{--ground:#14171b;--panel:#1d2127;--text:#e6e9ed;--quiet:#9aa5b1;
--rule:#343b44;--main:#7eb0ff;--other:#d9b657;--up:#4ecb8b;--down:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--ground);color:var(--text);
font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.2rem 0}h2{
font-size:1.1rem;margin:2rem 0 .5rem}h3{font-size:.95rem;margin:1rem 0 .3rem}
p{margin:.3rem 0}.quiet{color:var(--quiet);font-size:.85rem}.up{color:var(--up)}.down{color:var(--down)}
.warning{border-left:.25rem solid var(--down);background:var(--panel);padding:.6rem .8rem;margin:.8rem 0}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.5rem;margin:1rem 0}
.card{background:var(--panel);border-radius:.4rem;padding:.6rem .7rem}
.card b{display:block;font-size:1.2rem;font-variant-numeric:tabular-nums}
.card span{font-size:.8rem;color:var(--quiet)}
figure{margin:.5rem 0 1rem}figcaption{color:var(--quiet);font-size:.85rem}
.plot{position:relative;height:15rem;margin:.4rem 0 1.6rem 4.2rem}.plot.low{height:8rem}
.plot svg{position:absolute;inset:0;width:100%;height:100%;overflow:hidden}
.plot i{position:absolute;font:.72rem/1 system-ui,sans-serif;color:var(--quiet);white-space:nowrap}
.plot i.y{right:100%;padding-right:.4rem;transform:translateY(-50%)}
.plot i.x{top:100%;padding-top:.35rem;transform:translateX(-50%)}
path,rect{vector-effect:non-scaling-stroke}
.grid{stroke:var(--rule);fill:none}.line{fill:none;stroke:var(--main);stroke-width:1.4}
.line.other{stroke:var(--other)}.line.quiet{stroke:var(--quiet);stroke-width:1}
.line.win{stroke:var(--up);stroke-width:1.6}.line.loss{stroke:var(--down);stroke-width:1.6}
.area{fill:var(--main);fill-opacity:.15}.area.down{fill:var(--down);fill-opacity:.3}
.area.quiet{fill:var(--quiet);fill-opacity:.25}
.dots{stroke-width:5;stroke-linecap:round;fill:none}
.dots.long{stroke:var(--main)}.dots.short{stroke:var(--other)}.dots.shut{stroke:var(--text);stroke-width:3.5}
rect{fill:var(--main)}rect.up{fill:var(--up)}rect.down{fill:var(--down)}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.8rem;color:var(--quiet)}
.key b{
display:inline-block;width:1rem;height:.25rem;margin-right:.35rem;
vertical-align:middle;background:var(--main)}
.key b.other{background:var(--other)}.key b.up{background:var(--up)}.key b.down{background:var(--down)}
.key b.shut{background:var(--text)}.key b.quiet{background:var(--quiet)}
.months{display:grid;grid-template-columns:repeat(4,1fr);gap:2px}
.months div{padding:.35rem .2rem;text-align:center;background:var(--panel);font-size:.85rem;
font-variant-numeric:tabular-nums;min-height:3rem}
.months small{display:block;font-size:.7rem}
.months .gain{background:color-mix(in srgb,var(--up) var(--part),var(--panel))}
.months .lost{background:color-mix(in srgb,var(--down) var(--part),var(--panel))}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{overflow-wrap:normal;padding:.3rem .5rem;text-align:left;vertical-align:top;
border-bottom:1px solid var(--rule)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.long{overflow-wrap:anywhere;min-width:9rem}.defs td:first-child{min-width:10rem}
pre{overflow-x:auto;background:var(--panel);padding:.6rem;font-size:.75rem;border-radius:.4rem}
@media (max-width:35rem){.plot i.odd{display:none}th,td{padding:.3rem .35rem}
.plot{height:12rem;margin-left:3.4rem}.defs td:nth-child(3){display:block;border:0;
color:var(--quiet)}.defs tr{display:grid;grid-template-columns:1fr auto;border-bottom:1px solid var(--rule)}
.defs td{border:0}.defs td:nth-child(3){grid-column:1/3;padding-top:0}}
@media (min-width:50rem){.months{grid-template-columns:repeat(12,1fr)}.pair{display:grid;gap:0 2rem;
grid-template-columns:1fr 1fr}}
@media print{body{max-width:none}figure,table{break-inside:avoid}}
"""
