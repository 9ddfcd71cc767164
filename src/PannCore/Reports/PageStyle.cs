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
          --tint: #fbefe5; --current: #e4ecf6; --good: #17663a; --bad: #b3261e; --alarm: #fdecea;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #15171a; --panel: #1d2024; --ink: #ecebe7; --soft: #a9a69e; --line: #3a3e45; --faint: #292c32;
            --approximation: #ff9457; --inherited: #74b3f2; --arithmetic: #4cc9a7;
            --tint: #2a211b; --current: #25303d; --good: #7ed19b; --bad: #ff8a80; --alarm: #37201f;
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
        p, li, dd, h1, tbody th, .text, pre { overflow-wrap: anywhere; }
        p, dl, section > ul { max-width: 46rem; }
        p { margin: 0 0 .8rem; }
        a { color: var(--inherited); }
        a:focus-visible, tr:focus-visible, summary:focus-visible, .box:focus-visible { outline: 2px solid var(--inherited); outline-offset: 2px; }
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
        .chart { width: 100%; min-width: 42rem; height: auto; }
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
        .spot { fill: transparent; }
        .spot.current { fill: var(--inherited); fill-opacity: .14; }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: 0 0 .8rem; font-size: .9rem; max-width: none; }
        .legend li { display: flex; align-items: center; gap: .5rem; }
        table { border-collapse: collapse; font-size: .88rem; line-height: 1.35; font-variant-numeric: tabular-nums; width: 100%; }
        th, td { padding: .28rem .55rem; text-align: right; vertical-align: middle; white-space: nowrap; border-bottom: 1px solid var(--faint); }
        th:first-child, td:first-child, .text { text-align: left; }
        td.text, .wide { white-space: normal; }
        tbody th { font-weight: 400; white-space: normal; min-width: 9rem; max-width: 22rem; }
        thead th { font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--soft); background: var(--paper); white-space: normal; min-width: 4.2rem; }
        .narrow { width: auto; }
        .prefix, .op { color: var(--soft); }
        .op { display: block; font-size: .92em; }
        th.bars, td.bars { padding: 0 .4rem; width: 400px; text-align: left; }
        .used svg { display: inline-block; vertical-align: middle; margin-right: .6rem; }
        #network tbody tr:hover, tr.current { background: var(--current); }
        #network .ledger th, #network .ledger td { padding-top: .1rem; padding-bottom: .1rem; border-bottom-color: transparent; }
        #network .ledger .op { display: inline-block; margin-left: .6rem; font-weight: 400; }
        #network .ledger tbody th { min-width: 13rem; padding-right: 0; }
        #network .ledger td { padding-left: .5rem; padding-right: .5rem; }
        #network .ledger td.bars { padding-top: 0; padding-bottom: 0; }
        #network .ledger tbody > tr > * { border-bottom: 0; }
        #network tr.block > * { border-top: 1px solid var(--line); }
        #network tr.activation { background: var(--tint); }
        #network .ledger tr > th:first-child { border-left: .25rem solid transparent; }
        #network .ledger tr.activation > th { border-left-color: var(--approximation); font-weight: 600; }
        #network tr.activation.current { background: var(--current); }
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
        @media (min-width: 64rem) {
          #network .ledger thead th { position: sticky; top: 0; z-index: 1; }
          #network .box.tall { overflow: visible; }
        }
        @media (max-width: 40rem) { main { padding: 1.5rem 1rem 6rem; } section { margin-top: 2.5rem; } .lead { font-size: 1.08rem; } #network .ledger tbody th { min-width: 9rem; } #network .ledger .op { display: block; margin: 0; } }
        @media (forced-colors: active) { svg { forced-color-adjust: none; background: #fff; } }
        @media print {
          :root { --paper: #fff; --panel: #f5f3ee; --ink: #000; --soft: #444; --line: #bbb; --faint: #e3e3e3; --approximation: #c8460b; --inherited: #1f63ad; --arithmetic: #0d7a63; --tint: #fbefe5; --alarm: #fff; --bad: #b3261e; --good: #17663a; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          body { font-size: 9.5pt; }
          main { padding: 0; max-width: none; }
          nav, #readout, .skip { display: none; }
          .box { overflow: visible; }
          .box table { font-size: 7pt; }
          section, tr, figure { break-inside: avoid; }
          #network, #flips, #activations, #layers, #glossary { break-inside: auto; }
          section { margin-top: 1.5rem; }
        }

        """.ReplaceLineEndings("\n");
}
