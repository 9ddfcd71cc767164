namespace PannCore.Reports;

/// <summary>The style sheet of the page, and the part of it that a drawing in a file of its own needs.</summary>
internal static class PageStyle
{
    // Vermilion, blue and green keep apart for every common colour vision deficiency; a cause is also told by its form:
    // approximation is solid, inherited is hollow, arithmetic is a dashed line. Line ends are fixed, because the text's hash is in the page.

    /// <summary>Colours, light and dark.</summary>
    public static readonly string Palette = """
        :root {
          color-scheme: light dark;
          --paper: #fdfcfa; --panel: #f5f3ee; --ink: #1d1c1a; --soft: #5f5b54; --line: #ddd9d0; --faint: #ebe8e1;
          --approximation: #c8460b; --inherited: #1f63ad; --arithmetic: #0d7a63;
          --tint: #fbefe5; --current: #e4ecf6; --good: #17663a; --bad: #b3261e; --alarm: #fdecea; --mass: #cfc9bd;
          --h0: #f3f0ea; --t0: #1d1c1a; --h1: #fbe9d9; --t1: #1d1c1a; --h2: #f9d8bb; --t2: #1d1c1a; --h3: #f6c197; --t3: #1d1c1a; --h4: #f0a46f; --t4: #1d1c1a; --h5: #e5854e; --t5: #1d1c1a; --h6: #b8480f; --t6: #fff; --h7: #8f2f0a; --t7: #fff; --h8: #5c1a08; --t8: #fff;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #15171a; --panel: #1d2024; --ink: #ecebe7; --soft: #a9a69e; --line: #3a3e45; --faint: #292c32;
            --approximation: #ff9457; --inherited: #74b3f2; --arithmetic: #4cc9a7;
            --tint: #2a211b; --current: #25303d; --good: #7ed19b; --bad: #ff8a80; --alarm: #37201f; --mass: #454a52;
            --h0: #24282d; --t0: #ecebe7; --h1: #38291f; --t1: #ecebe7; --h2: #4f321f; --t2: #ecebe7; --h3: #6b3e20; --t3: #ecebe7; --h4: #8a4b21; --t4: #fff; --h5: #d07a3c; --t5: #15171a; --h6: #f0995c; --t6: #15171a; --h7: #fbbd8a; --t7: #15171a; --h8: #ffe3c7; --t8: #15171a;
          }
        }

        """.ReplaceLineEndings("\n");

    /// <summary>What every drawing needs, on the page or in a file of its own.</summary>
    public static readonly string Drawing = """
        svg text { fill: var(--soft); font-size: 12px; font-family: inherit; font-variant-numeric: tabular-nums; }
        svg .strong { fill: var(--ink); font-weight: 600; }
        svg .strong { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
        svg .end { text-anchor: end; }
        svg .middle { text-anchor: middle; }
        .grid { stroke: var(--faint); stroke-width: 1; fill: none; }
        .axis { stroke: var(--soft); stroke-width: 1; fill: none; }
        .approximation { fill: var(--approximation); }
        .inherited { fill: var(--paper); stroke: var(--inherited); stroke-width: 1.4; }

        """.ReplaceLineEndings("\n");

    /// <summary>The page.</summary>
    public static readonly string Text = Palette + Drawing + """
        * { box-sizing: border-box; }
        html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        main { max-width: 70rem; margin: 0 auto; padding: 2.5rem 1.5rem 6rem; }
        h1, h2, .lead { font-family: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif; text-wrap: balance; }
        h1 { font-size: clamp(1.7rem, 4.5vw, 2.7rem); line-height: 1.15; font-weight: 600; letter-spacing: -.01em; margin: .2rem 0 1rem; }
        h2 { font-size: 1.5rem; line-height: 1.25; font-weight: 600; margin: 0 0 .6rem; }
        h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
        section { margin-top: 3.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
        body { overflow-wrap: break-word; }
        p, li, dt, dd, h1, h3, figcaption, tbody th, .text, pre { overflow-wrap: anywhere; }
        p, section > ul { max-width: 46rem; }
        p { margin: 0 0 .8rem; }
        a { color: var(--inherited); }
        a:focus-visible, summary:focus-visible, input:focus-visible, .box:focus-visible, .panel:focus-visible { outline: 2px solid var(--inherited); outline-offset: 2px; }
        code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
        pre { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; white-space: pre-wrap; margin: 0 0 .8rem; }
        .skip { position: absolute; left: -100rem; }
        .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem .8rem; z-index: 3; }
        .soft, .eyebrow, figcaption, .note { color: var(--soft); }
        .eyebrow { margin: 0; font-size: .9rem; }
        .lead { font-size: 1.2rem; line-height: 1.5; }
        .note, figcaption { font-size: .88rem; }
        .note.wide { max-width: none; }
        .alarm { border: 1px solid var(--bad); border-left-width: .4rem; background: var(--alarm); border-radius: .3rem; padding: .8rem 1.1rem; margin: 0 0 1.6rem; max-width: 54rem; }
        .alarm p { font-weight: 700; color: var(--bad); margin: 0 0 .3rem; }
        .alarm ul { margin: 0; padding-left: 1.2rem; }
        .tiles { display: flex; flex-wrap: wrap; gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: .4rem; overflow: hidden; margin: 1.6rem 0 0; max-width: none; }
        .tiles div { flex: 1 1 9rem; background: var(--paper); padding: .8rem 1rem; display: flex; flex-direction: column-reverse; justify-content: flex-end; }
        .tiles dt { color: var(--soft); font-size: .85rem; line-height: 1.35; }
        .tiles sup { font-size: .65em; line-height: 1; }
        .tiles dd { margin: 0; font-size: 1.55rem; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 1.4rem 0 0; font-size: .9rem; max-width: none; }
        figure { margin: 0 0 1rem; }
        .box { overflow-x: auto; margin: 0 0 1rem; }
        svg { display: block; }
        .chart { width: 100%; min-width: 58rem; height: auto; }
        .chart text { font-size: 13px; }
        .part { width: 100%; min-width: 26rem; max-width: 34rem; height: auto; }
        .band { fill: var(--panel); }
        .arithmetic { stroke: var(--arithmetic); stroke-width: 2.6; stroke-dasharray: 2.6 2; fill: none; }
        .total { stroke: var(--ink); stroke-width: 2.4; fill: none; }
        .curve { stroke: var(--ink); stroke-width: 1.8; fill: none; stroke-linejoin: round; }
        .error { stroke: var(--approximation); stroke-width: 1.6; fill: none; stroke-linejoin: round; }
        .bound { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; fill: none; }
        .worse { fill: var(--approximation); }
        .better { fill: var(--paper); stroke: var(--inherited); stroke-width: 1.4; }
        .plain { fill: var(--soft); }
        .rest { fill: var(--faint); }
        .pale { fill-opacity: .5; }
        .spread { fill: var(--inherited); fill-opacity: .18; }
        .mass { fill: var(--mass); }
        .means { stroke: var(--ink); stroke-width: 2.4; fill: none; }
        .whiskers { stroke: var(--inherited); stroke-width: 1.5; fill: none; }
        .dots { stroke: var(--approximation); stroke-width: 5; stroke-linecap: round; fill: none; }
        .reach { stroke: var(--soft); stroke-width: 1.5; }
        .ring { fill: var(--paper); stroke: var(--inherited); stroke-width: 1.8; }
        .dot { fill: var(--ink); }
        .diamond { fill: var(--arithmetic); stroke: var(--paper); }
        .stroke { stroke: var(--ink); stroke-width: 1.4; stroke-dasharray: 3 2; }
        .outside { stroke: var(--approximation); stroke-width: 1.8; fill: none; stroke-dasharray: 7 3; }
        .exploded { stroke: var(--inherited); stroke-width: 1.8; fill: none; stroke-dasharray: 2 3; }
        .rounding { fill: var(--arithmetic); }
        .point { fill: var(--ink); }
        .point.current { fill: var(--approximation); stroke: var(--approximation); stroke-width: 5; }
        .spot { fill: transparent; }
        .spot.current { fill: var(--inherited); fill-opacity: .14; }
        .h0 { background: var(--h0); color: var(--t0); fill: var(--h0); }
        .h1 { background: var(--h1); color: var(--t1); fill: var(--h1); }
        .h2 { background: var(--h2); color: var(--t2); fill: var(--h2); }
        .h3 { background: var(--h3); color: var(--t3); fill: var(--h3); }
        .h4 { background: var(--h4); color: var(--t4); fill: var(--h4); }
        .h5 { background: var(--h5); color: var(--t5); fill: var(--h5); }
        .h6 { background: var(--h6); color: var(--t6); fill: var(--h6); }
        .h7 { background: var(--h7); color: var(--t7); fill: var(--h7); }
        .h8 { background: var(--h8); color: var(--t8); fill: var(--h8); }
        .hx { background: repeating-linear-gradient(135deg, var(--paper) 0 5px, var(--faint) 5px 7px); color: var(--ink); fill: var(--paper); }
        .scale { list-style: none; display: flex; flex-wrap: wrap; padding: 0; margin: 0 0 1rem; font-size: .8rem; max-width: none; }
        .scale li { padding: .2rem .6rem; flex: 1 0 auto; text-align: center; white-space: nowrap; }
        .tools { display: flex; flex-wrap: wrap; gap: .8rem 2.5rem; align-items: start; margin: 0 0 1rem; padding: .8rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; }
        .tools[hidden] { display: none; }
        fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
        legend, .slider label { padding: 0; font-weight: 600; font-size: .9rem; margin-bottom: .3rem; }
        fieldset label { display: inline-flex; align-items: center; gap: .35rem; margin-right: 1rem; padding: .2rem 0; }
        input { accent-color: var(--approximation); }
        .slider { flex: 1 1 22rem; display: grid; gap: .2rem; min-width: 0; }
        .slider input { width: 100%; margin: .3rem 0; }
        .slider output { font-size: .9rem; min-height: 3.6em; overflow-wrap: anywhere; }
        .slider output b { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
        .explorer { display: grid; gap: 1.2rem; grid-template-columns: minmax(0, 1fr); }
        .map { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.6rem), 1fr)); gap: .8rem .7rem; align-content: start; align-items: start; }
        .module { position: relative; min-width: 0; padding: .4rem .4rem .5rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
        .module p { margin: 0 0 .3rem; font-size: .82rem; line-height: 1.3; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .module ol { list-style: none; margin: 0; padding: 0; }
        .module.joins::before { content: ""; position: absolute; left: .35rem; top: 2.4rem; bottom: 3.2rem; width: .55rem; border: 2px solid var(--soft); border-right: 0; border-radius: .4rem 0 0 .4rem; }
        .cell { display: flex; justify-content: space-between; gap: .4rem; height: 1.5rem; margin-bottom: .16rem; padding: 0 .5rem; border-radius: .15rem; font-size: .8rem; line-height: 1.5rem; text-decoration: none; white-space: nowrap; }
        .cell span { overflow: hidden; text-overflow: ellipsis; }
        .cell b { font-weight: 600; font-variant-numeric: tabular-nums; }
        .cell.activation { border-radius: .75rem; }
        .cell.current { box-shadow: 0 0 0 2px var(--inherited); }
        .cell[aria-current] { box-shadow: 0 0 0 2.5px var(--ink); }
        .cell .away { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        .panels { margin: 0; max-height: 80vh; border: 1px solid var(--line); border-radius: .5rem; background: var(--paper); }
        .panel { padding: 1rem 1.1rem; border-bottom: 1px solid var(--line); font-size: .92rem; line-height: 1.5; }
        .panel[hidden] { display: none; }
        .panel h3 { margin: 0 0 .4rem; font-size: 1.15rem; overflow-wrap: anywhere; }
        .panel h3 .soft { font-weight: 400; }
        .panel h4 { margin: 1.2rem 0 .3rem; font-size: .95rem; }
        .panel p { margin: 0 0 .6rem; }
        .panel table { font-size: .84rem; }
        .panel .box { margin-bottom: .5rem; }
        .panel th, .panel td { padding: .2rem .4rem; }
        .panel tbody th { min-width: 4.6rem; overflow-wrap: break-word; }
        .panel thead th { min-width: 3rem; }
        .facts { margin: 0; }
        .facts div { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: .5rem; padding: .12rem 0; border-bottom: 1px solid var(--faint); }
        .facts dt { color: var(--soft); overflow-wrap: anywhere; }
        .facts dd { margin: 0; }
        .aside { margin-top: 1.2rem; padding: .6rem .9rem; border-left: .25rem solid var(--inherited); background: var(--panel); }
        .aside h4 { margin-top: 0; }
        .gallery { list-style: none; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 10rem), 1fr)); gap: 1rem; padding: 0; margin: 0 0 1rem; max-width: none; }
        .gallery li { min-width: 0; }
        .gallery p { font-size: .85rem; line-height: 1.4; margin: .3rem 0 0; }
        img { display: block; image-rendering: pixelated; border-radius: .2rem; }
        th img { display: inline-block; vertical-align: middle; margin-right: .6rem; }
        .heat rect { stroke: none; }
        a.path { color: inherit; text-decoration: underline dotted; text-decoration-color: var(--soft); text-underline-offset: .2em; }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: 0 0 .8rem; font-size: .9rem; max-width: none; }
        .legend li { display: flex; align-items: center; gap: .5rem; }
        table { border-collapse: collapse; font-size: .88rem; line-height: 1.35; font-variant-numeric: tabular-nums; width: 100%; }
        th, td { padding: .28rem .55rem; text-align: right; vertical-align: middle; white-space: nowrap; border-bottom: 1px solid var(--faint); }
        th:first-child, td:first-child, .text { text-align: left; }
        td.text, .wide { white-space: normal; }
        td.keep { white-space: nowrap; }
        tbody th { font-weight: 400; white-space: normal; min-width: 9rem; max-width: 22rem; }
        thead th { font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--soft); background: var(--paper); white-space: normal; min-width: 4.2rem; }
        .narrow { width: auto; }
        .tight th, .tight td { padding-left: .3rem; padding-right: .3rem; }
        .tight thead th { min-width: 3.4rem; }
        .tight tbody th { min-width: 7rem; }
        .prefix, .op { color: var(--soft); }
        .op { display: block; font-size: .92em; }
        th.bars, td.bars { padding: 0 .4rem; width: 400px; text-align: left; }
        .used svg { display: inline-block; vertical-align: middle; margin-right: .6rem; }
        #ledger tbody tr:hover, tr.current { background: var(--current); }
        #ledger .ledger th, #ledger .ledger td { padding-top: .1rem; padding-bottom: .1rem; border-bottom-color: transparent; }
        #ledger .ledger .op { display: inline-block; margin-left: .6rem; font-weight: 400; }
        #ledger .ledger tbody th { min-width: 13rem; padding-right: 0; }
        #ledger .ledger td { padding-left: .5rem; padding-right: .5rem; }
        #ledger .ledger td.bars { padding-top: 0; padding-bottom: 0; }
        #ledger .ledger tbody > tr > * { border-bottom: 0; }
        #ledger tr.block > * { border-top: 1px solid var(--line); }
        #ledger tr.activation { background: var(--tint); }
        #ledger .ledger tr > th:first-child { border-left: .25rem solid transparent; }
        #ledger .ledger tr.activation > th { border-left-color: var(--approximation); font-weight: 600; }
        #ledger tr.activation.current { background: var(--current); }
        .passed { color: var(--good); font-weight: 600; }
        .failed { color: var(--bad); font-weight: 700; }
        details { margin: 0 0 1rem; }
        summary { cursor: pointer; padding: .3rem 0; }
        dl.words { columns: 24rem 2; column-gap: 3rem; max-width: none; }
        dl.words div { break-inside: avoid; padding-bottom: .8rem; }
        dl.words dt { font-weight: 600; }
        dl.words dd { margin: 0; }
        #readout { position: fixed; left: 0; right: 0; bottom: 0; max-width: none; margin: 0; padding: .7rem 1.5rem; background: var(--ink); color: var(--paper); font-size: .9rem; line-height: 1.45; pointer-events: none; z-index: 2; }
        #readout[hidden] { display: none; }
        @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } .cell, .heat rect { transition: background-color .15s, fill .15s; } }
        @media (max-width: 63.99rem) { .live .panels { max-height: none; } }
        @media (min-width: 64rem) {
          .explorer { grid-template-columns: minmax(0, 5fr) minmax(0, 4fr); align-items: start; }
          .panels { position: sticky; top: 1rem; overflow-y: auto; max-height: calc(100vh - 5rem); }
          #ledger .ledger thead th { position: sticky; top: 0; z-index: 1; }
          #ledger .box.tall { overflow: visible; }
        }
        @media (max-width: 40rem) { main { padding: 1.5rem 1rem 6rem; } section { margin-top: 2.5rem; } .lead { font-size: 1.08rem; } #ledger .ledger tbody th { min-width: 9rem; } #ledger .ledger .op { display: block; margin: 0; } }
        @media (forced-colors: active) { svg { forced-color-adjust: none; background: #fff; } }
        @page { margin: 14mm 12mm; }
        @media print {
          :root { --paper: #fff; --panel: #f5f3ee; --ink: #000; --soft: #444; --line: #bbb; --faint: #e3e3e3; --approximation: #c8460b; --inherited: #1f63ad; --arithmetic: #0d7a63; --tint: #fbefe5; --alarm: #fff; --bad: #b3261e; --good: #17663a; --mass: #cfc9bd;
            --h0: #f3f0ea; --t0: #1d1c1a; --h1: #fbe9d9; --t1: #1d1c1a; --h2: #f9d8bb; --t2: #1d1c1a; --h3: #f6c197; --t3: #1d1c1a; --h4: #f0a46f; --t4: #1d1c1a; --h5: #e5854e; --t5: #1d1c1a; --h6: #b8480f; --t6: #fff; --h7: #8f2f0a; --t7: #fff; --h8: #5c1a08; --t8: #fff; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          body { font-size: 9.5pt; }
          h1 { font-size: 22pt; }
          main { padding: 0; max-width: none; }
          nav, #readout, .skip, #tools, .panel { display: none; }
          .panel.activation, .panel[aria-current] { display: block; }
          .explorer { display: block; }
          .panels { position: static; columns: 3; column-gap: 1.4rem; max-height: none; border: 0; margin-top: 1rem; }
          .panel { padding: 0 0 .8rem; margin-bottom: .8rem; font-size: 7.5pt; line-height: 1.4; }
          .panel > p:last-child, #ledger details { display: none; }
          .panel .note { font-size: inherit; }
          .aside { padding: .2rem .5rem; }
          .panel h3 { font-size: 10pt; }
          .panel h4 { font-size: 8.5pt; margin-top: .6rem; }
          .facts div { grid-template-columns: 6rem minmax(0, 1fr); }
          .box, .panels.box { overflow: visible; }
          .box > table { zoom: .6; }
          .panel .box > table { zoom: .5; }
          .panel th { min-width: 0; }
          .chart, .part { min-width: 0; max-width: 100%; }
          #ledger .ledger thead th { position: static; }
          tr, figure, svg, .module, .gallery li { break-inside: avoid; }
          h2, h3, h4 { break-after: avoid; }
          details::details-content { content-visibility: visible; height: auto; }
          section { margin-top: 1.5rem; }
        }

        """.ReplaceLineEndings("\n");
}
