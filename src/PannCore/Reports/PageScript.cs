namespace PannCore.Reports;

/// <summary>
/// The page's script: explains what is pointed at or focused, shows one operation's panel at a time, walks through operations by arrow keys, and recolours map and heat map
/// by cause and precision. It computes no figure: all texts are in the page.
/// </summary>
internal static class PageScript
{
    // Valid inside XML as it stands: no ampersand and no less-than sign. Line ends are fixed, because its hash is in the page.
    public static readonly string Text = """
        'use strict';
        const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
        const byId = id => document.getElementById(id);
        const data = JSON.parse(byId('data').textContent);
        const readout = byId('readout');
        const rows = all('tr[data-row]');
        const cells = all('#map a');
        const panels = all('.panel');
        const spots = all('[data-spot]');
        const said = rows.map(row => row.querySelector('desc').textContent);
        const state = { cause: 'total', step: data.start, from: null };

        // The readout replaces the browser's own tooltips; their text stays as the accessible name.
        for (const title of all('tr[data-row] title, [data-spot] title')) {
          title.parentNode.setAttribute('aria-label', title.textContent);
          title.remove();
        }

        function say(text) {
          readout.textContent = text;
          readout.hidden = text === '';
        }

        function show(op) {
          for (const list of [rows, cells]) list.forEach((e, i) => e.classList.toggle('current', i === op));
          for (const spot of spots) spot.classList.toggle('current', Number(spot.dataset.spot) === op);
          if (op === null) return say('');
          const step = data.steps[state.step];
          if (state.step === data.start) return say(said[op] ?? '');
          const figure = cause => cause + ' ' + step[cause].texts[op];
          say(panels[op].querySelector('h3').textContent + ' with ' + step.name + ': ' + ['total', 'injected', 'inherited'].map(figure).join(', ') + ' of the signal.');
        }

        // Panels: one at a time beside the map.
        function choose(op) {
          panels.forEach((panel, i) => { panel.hidden = i !== op; });
          cells.forEach((cell, i) => {
            if (i === op) cell.setAttribute('aria-current', 'true');
            else cell.removeAttribute('aria-current');
          });
          all('.panels').forEach(box => { box.scrollTop = 0; });
        }

        function open(op, from) {
          if (!panels[op]) return;
          choose(op);
          state.from = from;
          panels[op].focus({ preventScroll: true });
          const top = panels[op].getBoundingClientRect().top;
          if (top > 0.6 * innerHeight || 0 > top) panels[op].closest('.explorer').querySelector('.panels').scrollIntoView();
        }

        function watch(element, op) {
          element.addEventListener('mouseenter', () => show(op));
          element.addEventListener('mouseleave', () => show(null));
        }

        // One tab stop a list; arrow keys, Home and End move within it.
        function walk(list) {
          list.forEach((element, i) => {
            element.setAttribute('tabindex', i === 0 ? '0' : '-1');
            element.addEventListener('focus', () => {
              list.forEach(e => e.setAttribute('tabindex', e === element ? '0' : '-1'));
              show(Number(element.dataset.op));
            });
            element.addEventListener('blur', () => show(null));
            element.addEventListener('keydown', event => {
              const last = list.length - 1, next = Math.min(i + 1, last), previous = Math.max(i - 1, 0);
              const to = { ArrowDown: next, ArrowRight: next, ArrowUp: previous, ArrowLeft: previous, Home: 0, End: last }[event.key];
              if (to === undefined) return;
              event.preventDefault();
              list[to].focus();
            });
          });
        }

        walk(cells);
        walk(all('.ledger th a'));
        rows.forEach((row, i) => {
          watch(row, i);
          row.addEventListener('click', event => { if (!event.target.closest('a')) open(i, row.querySelector('a')); });
        });
        cells.forEach((cell, i) => watch(cell, i));
        for (const spot of spots) {
          watch(spot, Number(spot.dataset.spot));
          spot.addEventListener('click', () => open(Number(spot.dataset.spot), null));
        }
        for (const spot of all('[data-say]')) {
          spot.addEventListener('mouseenter', () => say(spot.dataset.say));
          spot.addEventListener('mouseleave', () => say(''));
        }
        for (const link of all('a[data-op]')) {
          link.addEventListener('click', event => {
            event.preventDefault();
            open(Number(link.dataset.op), link);
          });
        }
        document.addEventListener('keydown', event => {
          if (event.key !== 'Escape') return;
          show(null);
          if (state.from === null) return;
          const from = state.from;
          state.from = null;
          from.focus();
        });

        // Colours and figures: written in the page beforehand, never computed here.
        function paint(element, colour) {
          element.setAttribute('class', element.getAttribute('class').replace(/\bh[0-8x]\b/, 'h' + colour));
        }

        const heat = all('.heat g[data-step]').map(row => all('rect', row));

        function draw() {
          const step = data.steps[state.step];
          const shown = step[state.cause];
          cells.forEach((cell, i) => {
            paint(cell, shown.colours[i]);
            cell.querySelector('b').textContent = shown.texts[i];
          });
          for (const each of data.steps) {
            const row = heat[each.row];
            if (row) row.forEach((rect, i) => paint(rect, each[state.cause].colours[i]));
          }
          for (const mark of all('.point')) mark.classList.toggle('current', Number(mark.dataset.step) === step.row);
          for (const name of all('.heat-cause')) name.textContent = state.cause;
          const output = byId('precision-figures');
          if (!output) return;
          const figure = document.createElement('b');
          figure.textContent = step.accuracy;
          output.replaceChildren(figure, ' ' + step.say);
          byId('precision').setAttribute('aria-valuetext', step.name + ', ' + step.accuracy + ' right');
        }

        heat.forEach((row, k) => row.forEach((rect, i) => {
          const step = data.steps.find(s => s.row === k);
          rect.addEventListener('mouseenter', () => say(panels[i].querySelector('h3').textContent + ' with ' + step.name + ': ' + state.cause + ' ' + step[state.cause].texts[i]));
          rect.addEventListener('mouseleave', () => say(''));
        }));

        const slider = byId('precision');
        if (slider) {
          slider.max = String(data.steps.length - 1);
          slider.value = String(data.start);
          slider.addEventListener('input', () => {
            state.step = Number(slider.value);
            draw();
          });
        }
        for (const radio of all('input[name=cause]')) {
          radio.addEventListener('change', () => {
            state.cause = radio.value;
            draw();
          });
        }

        const tools = byId('tools');
        if (tools) {
          tools.hidden = false;
          document.documentElement.classList.add('live');
          choose(Number(tools.dataset.first));
          draw();
        }

        """.ReplaceLineEndings("\n");
}
