/** How the page of a history looks, and what it does when it is clicked. Data for `html.ts`; neither holds `<` or `&`, so that the page is XML too. */

export const pageStyle = `
:root { color-scheme: light dark; --paper: #fcfcfa; --ink: #1c1e21; --quiet: #666b73; --line: #d9dce1; --ground: #f0f1f3;
  --up: #7c95b5; --down: #c0392b; --fault: #d9902f; --ready: #3c8f5a; --bad: #d1603d; --unknown: #8a7aa8; --updated: #d08700;
  --wanted: #1c1e21; --broken: #c8102e; --brokenground: #fdecec; --area: #3c8f5a44; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181b; --ink: #e4e6e9; --quiet: #979da6; --line: #343a42; --ground: #1f2328;
  --up: #5f7fa8; --down: #e05a4a; --fault: #d9902f; --ready: #4fae73; --bad: #e0714c; --unknown: #9c8cc0; --updated: #e0a030;
  --wanted: #e4e6e9; --broken: #ff5a6e; --brokenground: #3a1a1e; --area: #4fae7344; } }
body { margin: 1.5rem; font: 14px/1.45 system-ui, sans-serif; background: var(--paper); color: var(--ink); }
h1 { font-size: 1.3rem; margin: 0 0 .8rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
.quiet, small { color: var(--quiet); }
.verdict { padding: .6rem .9rem; border-radius: 6px; border-left: 4px solid var(--ready); background: var(--ground); }
.verdict.broken { border-color: var(--broken); background: var(--brokenground); }
.verdict p { margin: .2rem 0; } .message { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: center; }
.key::before { content: ''; display: inline-block; width: .9em; height: .7em; margin-right: .35em; background: var(--c); }
.key.up { --c: var(--up); } .key.down { --c: var(--down); } .key.fault { --c: var(--fault); } .key.ready { --c: var(--ready); }
.key.bad { --c: var(--bad); } .key.unknown { --c: var(--unknown); } .key.updated { --c: var(--updated); } .key.wanted { --c: var(--wanted); }
#details { position: sticky; top: 0; z-index: 1; margin: 0; padding: .4rem 0; background: var(--paper); min-height: 1.5em; font-family: ui-monospace, monospace; font-size: 12px; overflow-wrap: anywhere; }
.timeline { display: grid; grid-template-columns: minmax(7rem, 13rem) 1fr; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.labels { border-right: 1px solid var(--line); } .labels div { box-sizing: border-box; padding: 0 .5rem; font-size: 12px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.labels .head { font-weight: 600; padding-top: 4px; }
.scroll { overflow-x: auto; } #lanes { display: block; }
svg text { font-size: 11px; fill: var(--quiet); }
.ground { fill: var(--ground); opacity: .55; } .head .ground { fill: none; }
line.tick { stroke: var(--line); }
rect.process.up { fill: var(--up); } rect.process.down { fill: var(--down); } rect.fault { fill: var(--fault); opacity: .8; }
rect.phase { fill: var(--line); } rect.phase.rest { fill: var(--area); } rect.user { fill: var(--ink); opacity: .6; }
rect.node.Ready { fill: var(--ready); } rect.node.NotReady { fill: var(--bad); } rect.node.Unknown { fill: var(--unknown); } rect.node.cordoned { opacity: .55; }
path { fill: none; vector-effect: non-scaling-stroke; stroke-width: 1.5px; }
path.ready { fill: var(--area); stroke: var(--ready); stroke-width: 1px; } path.pods { fill: var(--area); stroke: var(--quiet); stroke-width: 1px; }
path.updated { stroke: var(--updated); } path.wanted { stroke: var(--wanted); stroke-dasharray: 4 3; }
[data-text] { cursor: pointer; } rect[data-text]:hover { stroke: var(--ink); }
.violation line { stroke: var(--broken); stroke-width: 2px; } .violation text { fill: var(--broken); font-weight: 600; }
table { border-collapse: collapse; font: 12px/1.4 ui-monospace, monospace; } td { padding: .1rem .7rem .1rem 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { white-space: nowrap; color: var(--quiet); text-align: right; } tr.fault td, tr.mended td { color: var(--fault); } tr.down td { color: var(--down); }
tr.action td { font-weight: 600; } tr.violated td { color: var(--broken); font-weight: 600; }
button { font: inherit; }
`;

export const pageScript = `
const details = document.getElementById('details');
const lanes = document.getElementById('lanes');
document.addEventListener('click', (event) => {
  const told = event.target.closest('[data-text]');
  if (told) details.textContent = told.dataset.text;
  const zoom = event.target.closest('[data-zoom]');
  if (!zoom) return;
  lanes.setAttribute('width', zoom.dataset.zoom * 100 + '%');
  const box = lanes.parentElement;
  box.scrollLeft = (lanes.dataset.violation / lanes.dataset.end) * lanes.clientWidth - box.clientWidth * 0.7;
});
`;
