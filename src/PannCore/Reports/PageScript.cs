namespace PannCore.Reports;

/// <summary>The page's script: the explanation of what is pointed at or focused, and the arrow keys between operations.</summary>
internal static class PageScript
{
    // Valid inside XML as it stands: no ampersand and no less-than sign. Line ends are fixed, because its hash is in the page.
    public static readonly string Text = """
        'use strict';
        const readout = document.getElementById('readout');
        const rows = Array.from(document.querySelectorAll('tr[data-row]'));
        const spots = Array.from(document.querySelectorAll('[data-spot]'));

        // The readout replaces the browser's own tooltips; their text stays as the accessible name.
        for (const title of document.querySelectorAll('tr[data-row] title, [data-spot] title')) {
          title.parentNode.setAttribute('aria-label', title.textContent);
          title.remove();
        }

        function show(row) {
          rows.forEach(r => r.classList.toggle('current', r === row));
          spots.forEach(s => s.classList.toggle('current', Boolean(row) ? s.dataset.spot === row.dataset.row : false));
          readout.textContent = row ? row.querySelector('desc').textContent : '';
          readout.hidden = !row;
        }

        function focus(row) {
          rows.forEach(r => r.setAttribute('tabindex', r === row ? '0' : '-1'));
          row.focus();
        }

        rows.forEach((row, i) => {
          row.addEventListener('mouseenter', () => show(row));
          row.addEventListener('mouseleave', () => show(null));
          row.addEventListener('click', () => show(row));
          row.addEventListener('focus', () => show(row));
          row.addEventListener('blur', () => show(null));
          row.addEventListener('keydown', event => {
            const last = rows.length - 1;
            const to = { ArrowDown: Math.min(i + 1, last), ArrowUp: Math.max(i - 1, 0), Home: 0, End: last }[event.key];
            if (to === undefined) return;
            event.preventDefault();
            focus(rows[to]);
          });
        });

        for (const spot of spots) {
          const row = rows[Number(spot.dataset.spot)];
          spot.addEventListener('mouseenter', () => show(row));
          spot.addEventListener('mouseleave', () => show(null));
          spot.addEventListener('click', () => focus(row));
        }

        document.addEventListener('keydown', event => { if (event.key === 'Escape') show(null); });

        """.ReplaceLineEndings("\n");
}
