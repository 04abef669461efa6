package io.radixflow.job.report;

/** The look of a report's page. Colours are told apart by people who see red and green alike. */
final class ReportStyle {

    static final String CSS = """
            :root { color-scheme: light dark; --bg: #fbfbf9; --card: #fff; --ink: #1d2327; --soft: #667078; --line: #dfe2e4;
              --c0: #0b6bcb; --c1: #d9730d; --c2: #2a9d8f; --c3: #8e5bc4; --c4: #b23a48; --good: #0a7d55; --bad: #b5391f; --warn: #fff3d6; }
            @media (prefers-color-scheme: dark) { :root { --bg: #14171a; --card: #1c2024; --ink: #e6e8ea; --soft: #98a2ab; --line: #343b42;
              --c0: #5aa9ff; --c1: #f2a154; --c2: #5fd0c1; --c3: #bb93ea; --c4: #ec7d89; --good: #58cfa2; --bad: #ff9079; --warn: #40351a; } }
            * { box-sizing: border-box; }
            body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
            main { max-width: 1360px; margin: 0 auto; padding: 32px 20px 48px; }
            h1 { font-size: 28px; margin: 0 0 12px; letter-spacing: -0.01em; } h1 .soft { font-weight: 400; }
            h2 { font-size: 20px; margin: 40px 0 4px; } h3 { font-size: 15px; margin: 0; }
            p { margin: 4px 0 12px; } .soft { color: var(--soft); }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 12px; }
            dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
            code { font: 13px ui-monospace, "DejaVu Sans Mono", monospace; }
            .warning { background: var(--warn); border-left: 4px solid var(--c1); padding: 8px 12px; border-radius: 4px; }
            .mark { color: var(--c1); font-weight: 600; font-size: 0.85em; }
            .legend span { margin-right: 18px; } .legend span span { margin: 0; }
            i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
            i.c0 { background: var(--c0); } i.c1 { background: var(--c1); } i.c2 { background: var(--c2); }
            i.c3 { background: var(--c3); } i.c4 { background: var(--c4); }
            .bars { display: grid; grid-template-columns: repeat(auto-fill, minmax(350px, 1fr)); gap: 10px 24px; }
            .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 10px; }
            .tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
            .tiles b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } table.small { width: auto; }
            .cards { display: grid; gap: 14px; }
            article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px 8px; }
            article p { margin: 0 0 6px; font-size: 13px; }
            .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 8px 20px; }
            svg { width: 100%; height: auto; display: block; font: 11px system-ui, "Segoe UI", Roboto, sans-serif; }
            svg text { fill: var(--ink); } svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); stroke-width: 1; }
            svg .c0 { --c: var(--c0); } svg .c1 { --c: var(--c1); } svg .c2 { --c: var(--c2); } svg .c3 { --c: var(--c3); } svg .c4 { --c: var(--c4); }
            svg rect[class^=c] { fill: var(--c); } svg text[class^=c] { fill: var(--c); font-weight: 600; }
            svg path.line { fill: none; stroke: var(--c); stroke-width: 1.8; stroke-linejoin: round; }
            svg path.area { fill: var(--c); opacity: 0.13; } svg circle { fill: var(--c); opacity: 0; } svg circle:hover { opacity: 1; }
            .wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; width: 100%; }
            th, td { padding: 4px 8px; text-align: right; white-space: nowrap; vertical-align: top; } th:first-child { text-align: left; }
            thead th { font-weight: 600; border-bottom: 2px solid var(--line); vertical-align: bottom; }
            tr.own > * { border-top: 1px solid var(--line); font-weight: 600; } tr.own .soft { font-weight: 400; }
            tr.peer th { font-weight: 400; padding-left: 18px; } .better { color: var(--good); } .worse { color: var(--bad); }
            footer { margin-top: 36px; font-size: 13px; border-top: 1px solid var(--line); padding-top: 12px; }
            """;

    private ReportStyle() {}
}
