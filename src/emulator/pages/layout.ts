import { type Html, html, raw } from './html.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #d1d9e0; --soft: #f6f8fa; --dim: #59636e; --text: #1f2328; --back: #fff; --link: #0969da }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #151b23; --dim: #9198a1; --text: #f0f6fc; --back: #0d1117; --link: #4493f8 } }
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; color: var(--text); background: var(--back) }
header.top { padding: 12px 24px; background: var(--soft); border-bottom: 1px solid var(--line) }
main { max-width: 980px; margin: 24px auto; padding: 0 24px }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
h1 { font-size: 26px; font-weight: 500; margin: 0 0 8px } h1 .number, .dim { color: var(--dim); font-weight: 400 }
h2.section { font-size: 17px; margin: 28px 0 8px }
.state { display: inline-block; border-radius: 99px; padding: 3px 12px; color: #fff; font-weight: 500; margin-right: 8px }
.open { background: #1f883d } .closed { background: #cf222e } .done, .merged { background: #8250df } .draft { background: #59636e }
.label { display: inline-block; border: 1px solid var(--line); border-radius: 99px; padding: 0 9px; font-size: 12px; font-weight: 500; margin-right: 4px }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 9px; margin-right: 5px }
.box { border: 1px solid var(--line); border-radius: 6px; margin: 12px 0; overflow: hidden }
.box > .head { background: var(--soft); border-bottom: 1px solid var(--line); padding: 7px 14px; color: var(--dim) }
.box > .body { padding: 8px 16px; overflow-wrap: anywhere }
.row { padding: 8px 14px; border-top: 1px solid var(--line) } .row:first-child { border-top: 0 }
.reactions span { border: 1px solid var(--line); border-radius: 99px; padding: 1px 9px; margin-right: 6px; font-size: 13px }
code, pre, .mono { font: 12.5px/1.5 ui-monospace, monospace } code { background: var(--soft); padding: 1px 5px; border-radius: 4px }
pre { background: var(--soft); border-radius: 6px; padding: 12px; overflow: auto; margin: 8px 0 } pre code { padding: 0; background: none }
.body h1 { font-size: 22px } .body h2 { font-size: 18px } .body h3 { font-size: 16px }
.body table { border-collapse: collapse; margin: 8px 0 } .body td, .body th { border: 1px solid var(--line); padding: 4px 10px; text-align: left }
blockquote { margin: 8px 0; padding: 0 12px; border-left: 3px solid var(--line); color: var(--dim) }
details { margin: 8px 0 } summary { cursor: pointer }
.diff { margin: 0; border-radius: 0; background: none; padding: 6px 0 } .diff span { display: block; padding: 0 14px }
.add { background: #1f883d26 } .del { background: #cf222e26 } .hunk { color: var(--dim); background: var(--soft) }
`;

/** A whole page. */
export function page(title: string, trail: Html, content: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${raw(STYLE)}</style></head>
<body><header class="top">${trail}</header><main>${content}</main></body></html>`.safe;
}
