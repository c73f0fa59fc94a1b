"""How the page of a trace looks, light and dark, on a screen and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fbfbf9; --card: #fff; --ink: #1d2025; --dim: #666d78; --line: #dfe1e5; --code: #f3f4f6;
  --good: #14713a; --bad: #b3261e; --bad-ground: #fdf0ef; --moved: #7a5200; --link: #0b57a4;
  --sending: #8a6fd1; --waiting: #3b82c4; --receiving: #3aa17e; --opening: #b98a3c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --card: #1c1f25; --ink: #e4e6ea; --dim: #98a0ac; --line: #30353e; --code: #252a32;
    --good: #6fcf97; --bad: #ff8a80; --bad-ground: #2d1d1e; --moved: #e5b567; --link: #7db8f0;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1rem; margin: 2rem 0 .6rem; color: var(--dim); text-transform: uppercase; letter-spacing: .06em; }
h3 { font-size: 1.05rem; margin: 0; display: inline; }
h4 { font-size: .85rem; margin: 0 0 .4rem; color: var(--dim); font-weight: 600; }
small, .dim, caption, footer { color: var(--dim); font-weight: 400; font-size: .85rem; }
footer { display: block; margin-top: 2rem; }
a { color: var(--link); }
code, pre, .headers td, .headers th { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre { margin: .5rem 0 0; padding: .6rem .8rem; background: var(--code); border-radius: 6px; overflow: auto;
  max-height: 32rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre.fault { white-space: pre; color: var(--bad); max-height: none; }
.verdict { font-size: 1.05rem; font-weight: 600; margin: .3rem 0; }
.good { color: var(--good); } .verdict.bad, .status.bad { color: var(--bad); } .moved { color: var(--moved); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; }
.overview { width: 100%; margin: 1.2rem 0; }
.overview th { text-align: left; color: var(--dim); font-weight: 600; font-size: .85rem; }
.overview td, .overview th { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
.overview td:last-child { white-space: nowrap; }
.status { font-weight: 600; white-space: nowrap; }
.card { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--good); border-radius: 8px;
  padding: .8rem 1rem; margin: .8rem 0; }
.card.bad { border-left-color: var(--bad); }
.card.bad .fault { background: var(--bad-ground); }
summary { cursor: pointer; }
summary p { margin: .15rem 0 0; }
.message { margin: .5rem 0 .5rem 1.2rem; color: var(--dim); }
.held { list-style: none; margin: .6rem 0 0; padding: 0; }
.held li { color: var(--good); display: inline-block; margin-right: 1.2rem; }
.held li::before { content: "✓ "; }
.values { margin: .6rem 0 0; }
.values caption { text-align: left; }
.values th { text-align: left; vertical-align: top; padding-right: 1rem; font-weight: 600; }
.sides { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 1.2rem; margin-top: .9rem; }
.headers th { text-align: left; vertical-align: top; padding-right: .8rem; color: var(--dim); font-weight: 400;
  white-space: nowrap; }
.headers td { overflow-wrap: anywhere; }
.timing { margin-top: .7rem; font-size: .85rem; color: var(--dim); }
.timing ul { list-style: none; display: inline; margin: 0; padding: 0; }
.timing li { display: inline-block; margin-left: 1rem; }
.timing li::before { content: "■ "; color: var(--opening); }
.bar { display: inline-block; width: 12rem; height: .7rem; background: var(--code); border-radius: 3px;
  overflow: hidden; line-height: 0; vertical-align: middle; }
.bar i { display: inline-block; height: 100%; }
i.sending { background: var(--sending); } .timing li.sending::before { color: var(--sending); }
i.waiting { background: var(--waiting); } .timing li.waiting::before { color: var(--waiting); }
i.receiving { background: var(--receiving); } .timing li.receiving::before { color: var(--receiving); }
.status.bad::before { content: "✗ "; }
@media (max-width: 55rem) {
  body { padding: .8rem; }
  .sides { grid-template-columns: minmax(0, 1fr); }
  .bar { width: 5rem; }
  .overview td:nth-child(3), .overview th:nth-child(3) { display: none; }
}
@media print { pre { max-height: none; } body { max-width: none; } }
"""
