/**
 * The status page's style, in the page itself. The colours are those of `app/tokens.css`; a test holds them together.
 * Small screens first; what a wider one changes stands at the end.
 */
export const statusStyle = `
:root{color-scheme:light dark;
--paper:light-dark(#eef2eb,#0f1512);--sheet:light-dark(#fafcf8,#161e1a);--bar:light-dark(#e2eadf,#1b2520);
--ink:light-dark(#16201b,#e5ede7);--ink-soft:light-dark(#4b5a52,#a0b0a6);--rule:light-dark(#c8d3c8,#2b3831);
--rule-strong:light-dark(#76877d,#6d8177);--accent:light-dark(#b4370f,#ff8a61);--margin-line:light-dark(#dba893,#6b3524);
--good:light-dark(#25693f,#6fc48f);
--serif:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,Charter,Georgia,"Liberation Serif",serif;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans","Noto Sans",sans-serif;
--mono:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace;
--gutter:1.25rem;--margin-column:0rem;--gap:1.5rem}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;background:var(--paper)}
body{margin:0;font:1rem/1.5 var(--sans);font-variant-numeric:tabular-nums lining-nums;color:var(--ink)}
h1,h2,h3,p,ul,ol,dl,dd{margin:0;padding:0}
ul,ol{list-style:none}
a{color:inherit;text-underline-offset:.2em}
a:hover{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
header,main,footer{max-width:75rem;margin-inline:auto;padding-inline:var(--gutter)}
header{position:relative;display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.25rem 1.5rem;
padding-block:.75rem 1.4rem}
header::after{content:"";position:absolute;inset:auto var(--gutter) 0;height:11px;background:
linear-gradient(90deg,var(--rule-strong) 1px,transparent 0) 0 100%/40px 11px repeat-x,
linear-gradient(90deg,var(--rule-strong) 1px,transparent 0) 0 100%/8px 6px repeat-x}
.brand{display:flex;align-items:center;gap:.6rem;font:600 1.375rem/1 var(--serif);letter-spacing:-.01em}
.state{display:inline-flex;align-items:baseline;gap:.5rem;font-size:.875rem;line-height:1.25;color:var(--ink-soft)}
.lamp{flex:none;width:.625rem;height:.625rem;border:2px solid var(--rule-strong);border-radius:50%}
.good .lamp{border-color:var(--good);background:var(--good)}
.bad{color:var(--accent)}
.bad .lamp{border-color:var(--accent)}
main{position:relative}
main::before{content:"";position:absolute;inset-block:0;left:calc(var(--gutter) + var(--margin-column) - 1px);
display:none;border-left:1px solid var(--margin-line)}
section{display:grid;gap:.75rem var(--gap);padding-block:1.5rem;border-top:1px solid var(--rule)}
section>*{min-width:0}
section:first-child{border-top:0}
h1{font:600 clamp(1.75rem,1.2rem + 2.6vw,2.75rem)/1.12 var(--serif);letter-spacing:-.015em}
h2{font:italic 400 1.125rem/1.3 var(--serif);color:var(--ink-soft)}
h3{font:600 1.1875rem/1.3 var(--serif);overflow-wrap:anywhere}
.lead{margin-top:.5rem;color:var(--ink-soft)}
.refresh{font-size:.9375rem}
.refresh a,footer a{display:inline-block;padding-block:.375rem}
.muted,.empty{color:var(--ink-soft)}
.rows>li{display:grid;grid-template-columns:minmax(0,1fr);gap:.375rem;padding:1rem .75rem}
.rows>li:nth-child(odd){background:var(--bar)}
.head{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:.25rem 1rem}
.badge{font-size:.875rem;color:var(--ink-soft)}
.badge.good{font-weight:600;color:var(--good)}
.badge.bad{font-weight:600;color:var(--accent)}
progress{appearance:none;display:block;width:100%;height:.625rem;margin-top:.25rem;border:1px solid var(--rule-strong);
border-radius:0;color:var(--accent);background:var(--sheet)}
progress::-webkit-progress-bar{background:var(--sheet)}
progress::-webkit-progress-value{background:var(--accent)}
progress::-moz-progress-bar{background:var(--accent)}
.closed progress{--accent:var(--rule-strong)}
.stock{display:block;width:100%;height:1.125rem;margin-top:.25rem}
.stock .sheet{fill:var(--sheet);stroke:var(--rule-strong)}
.stock .has{fill:var(--good)}
.stock.low .has{fill:var(--accent)}
.stock line{stroke:var(--ink);stroke-width:2}
.figures{display:flex;flex-wrap:wrap;gap:0 1.5rem;font-size:.9375rem}
.answer{font-size:.9375rem;overflow-wrap:anywhere}
.url{flex:1 1 12rem;font-weight:600;overflow-wrap:anywhere}
.error{font:.875rem/1.5 var(--mono);color:var(--ink-soft);overflow-wrap:anywhere}
.totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:1rem}
.totals>div{display:flex;flex-direction:column;justify-content:space-between}
.totals dt{font-size:.875rem;line-height:1.25;color:var(--ink-soft)}
.totals dd{font-size:1.75rem;line-height:1.4}
.errors li{display:grid;gap:0 1rem;padding-block:.375rem}
.errors time{font-size:.875rem;color:var(--ink-soft);white-space:nowrap}
.errors p{overflow-wrap:anywhere}
footer{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 1.5rem;padding-block:1.5rem 2.5rem;font-size:.875rem;color:var(--ink-soft)}
@media (min-width:40rem){.errors li{grid-template-columns:11.5rem minmax(0,1fr);align-items:baseline}}
@media (min-width:64rem){
:root{--gutter:2.5rem;--margin-column:10.5rem;--gap:2.5rem}
main::before{display:block}
section{grid-template-columns:calc(var(--margin-column) - 1.25rem) minmax(0,1fr);border-top:0;padding-block:1.25rem}
section>:only-child{grid-column:2}
h2{text-align:right;padding-top:.5rem}
.title{padding-block:2.5rem 1.5rem}
.totals,.errors,.empty{padding-top:.5rem}
footer{padding-left:calc(var(--gutter) + var(--margin-column) + 1.25rem)}}
@media print{header{background:none}.refresh{display:none}}
@media (forced-colors:active){.stock .sheet{fill:Canvas;stroke:CanvasText}.stock .has{fill:Highlight}.stock line{stroke:CanvasText}}
`;
