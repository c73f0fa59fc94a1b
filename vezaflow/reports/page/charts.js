// What scripts add to a page that reads without them: charts with one cursor, sorting, percentiles of one's choice.
// A classic script: file:// knows no modules. It loads nothing, and what it shows it has from the element #data.
(function () {
  "use strict";
  var root = document.documentElement;
  var data = null; // from #data, once it is unpacked
  var dark = matchMedia("(prefers-color-scheme: dark)");

  // figures, as vezaflow/units.py writes them
  function special(v) { return isNaN(v) ? "–" : v === Infinity ? "∞" : null; }
  function three(v) { return Number(v.toPrecision(3)); }
  function digits(v) {
    if (v === 0) return "0";
    var places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(three(v))) + 1e-12));
    var shown = v.toFixed(places);
    return shown.indexOf(".") < 0 ? shown : shown.replace(/0+$/, "").replace(/\.$/, "");
  }
  function grouped(v) { return String(Math.round(v)).replace(/\B(?=(\d{3})+$)/g, ","); }
  function number(v) { return special(v) || (Math.abs(v) >= 999.5 ? grouped(v) : digits(v)); }
  function duration(v) {
    if (special(v)) return special(v);
    if (v === 0) return "0 s";
    var steps = [[1e-3, "µs", 1e-6], [1, "ms", 1e-3], [60, "s", 1]];
    for (var i = 0; i < 3; i++) if (three(v) < steps[i][0]) return digits(v / steps[i][2]) + " " + steps[i][1];
    if (Math.round(v) < 3600) return Math.floor(Math.round(v) / 60) + "m" + (Math.round(v) % 60 ? (Math.round(v) % 60) + "s" : "");
    var m = Math.round(v / 60);
    return Math.floor(m / 60) + "h" + (m % 60 ? (m % 60) + "m" : "");
  }
  function size(v) {
    var names = ["B", "KiB", "MiB"], by = 1;
    for (var i = 0; i < 3; i++, by *= 1024) if (Math.round(v / by) < 1024) return digits(v / by) + " " + names[i];
    return number(v / by) + " GiB";
  }
  var shown = { time: duration, size: size, ratio: function (v) { return number(v * 100) + " %"; }, count: number };
  function clock(s) {
    if (s < 60) return (s ? Math.round(s * 10) / 10 + " s" : "0");
    var m = Math.floor(Math.round(s) / 60), r = Math.round(s) % 60;
    function two(n) { return (n < 10 ? "0" : "") + n; }
    return m < 60 ? m + ":" + two(r) : Math.floor(m / 60) + ":" + two(m % 60) + ":" + two(r);
  }
  function element(name, set, text) {
    var made = document.createElement(name);
    for (var key in set || {}) made.setAttribute(key, set[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function each(list, what) { Array.prototype.forEach.call(list, what); }

  // histograms: vezaflow/reports/page/packed.py
  function unpacked(row, shift) {
    var bucket = 0, held = new Map();
    row[4].forEach(function (step, i) { bucket += step; held.set(bucket, row[5][i]); });
    return { count: row[0], zeros: row[1], min: row[2], max: row[3], held: held, shift: shift };
  }
  function added(all) {
    var sum = { count: 0, zeros: 0, min: Infinity, max: 0, held: new Map(), shift: 0 };
    all.forEach(function (one) {
      if (!one.count) return;
      sum.count += one.count; sum.zeros += one.zeros; sum.shift = one.shift;
      sum.min = Math.min(sum.min, one.min); sum.max = Math.max(sum.max, one.max);
      one.held.forEach(function (n, b) { sum.held.set(b, (sum.held.get(b) || 0) + n); });
    });
    return sum;
  }
  function edge(bucket) { return Math.pow(2, bucket >> 9) * (1 + (bucket & 511) / 512) * 1e-6; }
  function middle(bucket, shift) { return (edge(bucket << shift) + edge((bucket + 1) << shift)) / 2; }
  function ranked(times, rank) {
    if (rank === 1) return times.min;
    if (rank === times.count) return times.max;
    if (rank <= times.zeros) return 0;
    var below = times.zeros, keys = Array.from(times.held.keys()).sort(function (a, b) { return a - b; });
    for (var i = 0; i < keys.length; i++) {
      below += times.held.get(keys[i]);
      if (below >= rank) return Math.min(Math.max(middle(keys[i], times.shift), times.zeros ? 0 : times.min), times.max);
    }
    return times.max;
  }
  function parts(key) {
    var packed = data.packed;
    var keys = packed.sums[key] || [key], known = [], cut = [];
    keys.forEach(function (name) {
      var rows = packed.times[name] || [];
      if (rows[0]) known.push(unpacked(rows[0], packed.shift));
      if (rows[1]) cut.push(unpacked(rows[1], packed.shift));
    });
    return { known: added(known), whole: added(known.concat(cut)) };
  }
  // The nearest-rank percentile: [seconds, whether it is only a lower bound], null without samples.
  function percentile(times, share) {
    var samples = times.whole.count;
    if (!samples) return null;
    var rank = Math.min(samples, Math.max(1, Math.ceil(Number((share * samples).toFixed(6)))));
    if (rank <= times.known.count) return [ranked(times.known, rank), false];
    return [ranked(times.whole, rank), true];
  }

  function chosen(text) {
    var found = text.split(/[\s,;]+/).filter(Boolean).map(function (word) { return Number(word.replace(/^p/i, "")); });
    return found.length && found.length <= 12 && found.every(function (n) { return n >= 0 && n <= 100; }) ? found : null;
  }
  function show(table, shares) {
    var row = table.tHead.rows[0], old = row.querySelectorAll("[data-share]");
    if (!old.length) return;
    var at = old[0].cellIndex, many = old.length;
    each(table.rows, function (line) {
      var times = line.dataset.times ? parts(line.dataset.times) : null, before = line.cells[at + many];
      for (var i = 0; i < many; i++) line.removeChild(line.cells[at]);
      shares.forEach(function (share) {
        var cell;
        if (line === row) {
          cell = element("th", { scope: "col", "class": "n", "data-share": share / 100 }, "p" + share);
        } else {
          var found = times && percentile(times, share / 100);
          cell = element("td", { "class": "n" }, found ? (found[1] ? "> " : "") + duration(found[0]) : "–");
          if (found) cell.dataset.v = found[0];
        }
        line.insertBefore(cell, before);
      });
    });
    if (table.classList.contains("sortable")) sortable(table);
  }
  var form = document.getElementById("percentiles");
  function choosing() {
    if (!form) return;
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var shares = chosen(document.getElementById("shares").value);
      document.getElementById("shares-said").textContent = shares ? "" : "write numbers from 0 to 100, as in 50, 95, 99.9";
      if (shares) each(document.querySelectorAll("#flows-table, #steps-table"), function (table) { show(table, shares); });
    });
  }

  // sorting
  function sortable(table) {
    each(table.tHead.rows[0].cells, function (head) {
      head.removeAttribute("aria-sort");
      if (head.querySelector("button")) return;
      var button = element("button", { type: "button" }, head.textContent);
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, head); });
    });
  }
  function sort(table, head) {
    var numeric = head.classList.contains("n"), was = head.getAttribute("aria-sort");
    var up = was ? was === "descending" : !numeric;
    each(table.tHead.rows[0].cells, function (each) { each.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var body = table.tBodies[0], at = head.cellIndex;
    function key(row) { var c = row.cells[at]; return numeric ? (c.dataset.v === undefined ? null : Number(c.dataset.v)) : c.textContent; }
    Array.from(body.rows).sort(function (a, b) {
      var last = a.classList.contains("total") - b.classList.contains("total");
      if (last) return last;
      var x = key(a), y = key(b);
      if (x === null || y === null) return (x === null) - (y === null);
      return (numeric ? x - y : x.localeCompare(y, undefined, { numeric: true })) * (up ? 1 : -1);
    }).forEach(function (row) { body.appendChild(row); });
  }
  each(document.querySelectorAll("table.sortable"), sortable);

  // charts
  var colours = { main: "--accent", second: "--accent-2", light: "--soft", faint: "--faint", bad: "--red", ochre: "--ochre", teal: "--teal", plum: "--plum" };
  function colour(name) { return getComputedStyle(root).getPropertyValue(name).trim(); }
  var plots = [], scope = 0, hidden = {};
  var when = document.getElementById("when");

  var sizes = [];
  [1, 1024, 1048576, 1073741824].forEach(function (by) { [1, 2, 5, 10, 20, 50, 100, 200, 500].forEach(function (n) { sizes.push(n * by); }); });
  // bands behind the lines; above them, in two rows, the names that have room (vezaflow/reports/page/marks.py)
  function inside(plot, mark) {
    var left = plot.bbox.left, right = left + plot.bbox.width;
    var x = plot.valToPos(mark.begin, "x", true), end = mark.end === null ? x : plot.valToPos(mark.end, "x", true);
    return end < left || x > right ? null : [Math.max(x, left), Math.min(Math.max(end, x + devicePixelRatio), right)];
  }
  function bands(plot) {
    var c = plot.ctx, last = -1;
    c.save();
    c.fillStyle = colour("--band");
    data.marks.forEach(function (mark) {
      var place = inside(plot, mark);
      if (!place || place[1] <= last) return;
      var from = Math.max(place[0], last);
      c.fillRect(from, plot.bbox.top, place[1] - from, plot.bbox.height);
      last = place[1];
    });
    c.restore();
  }
  var pen = document.createElement("canvas").getContext("2d"), LETTERS = "10px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
  // what has room between two pixels, each with its x and row; `at` says from where to where a mark is
  function placed(left, right, at) {
    var taken = [[], []], found = [];
    pen.font = LETTERS;
    data.marks.slice().sort(function (a, b) { return a.minor - b.minor; }).forEach(function (mark) {
      var from = at(mark);
      if (from === null) return;
      var wide = pen.measureText(mark.name).width + 7, x = Math.max(left, Math.min(from, right + 7 - wide));
      var row = taken.findIndex(function (spans) {
        return spans.every(function (span) { return x >= span[1] || x + wide <= span[0]; });
      });
      if (row < 0) return;
      taken[row].push([x, x + wide]);
      found.push({ name: mark.name, x: x, row: row });
    });
    return found;
  }
  function rowsOf(width) {
    var left = 58, last = Math.max(data.seconds, 1e-9);
    return placed(left, width, function (mark) { return left + (width - left) * mark.begin / last; })
      .reduce(function (most, name) { return Math.max(most, name.row + 1); }, 0);
  }
  function names(plot) {
    var c = plot.ctx, ratio = devicePixelRatio, left = plot.bbox.left / ratio;
    c.save();
    c.scale(ratio, ratio);
    c.font = LETTERS;
    c.textAlign = "left";
    c.textBaseline = "alphabetic";
    c.fillStyle = colour("--soft");
    placed(left, left + plot.bbox.width / ratio, function (mark) { var place = inside(plot, mark); return place && place[0] / ratio; })
      .forEach(function (name) {
        if (name.row < plot.rows) c.fillText(name.name, name.x, plot.bbox.top / ratio - 5 - (plot.rows - 1 - name.row) * 12);
      });
    c.restore();
  }
  function drawn(figure, chart) {
    var live = figure.querySelector(".live"), unit = shown[figure.dataset.unit], soft = colour("--soft"), rule = colour("--rule");
    var log = figure.id === "chart-latency" && document.getElementById("log") && document.getElementById("log").checked;
    live.textContent = "";
    live.hidden = false;
    var legend = element("ul", { "class": "legend" }), values = [];
    var series = [{}].concat(chart.lines.map(function (line, i) {
      var name = figure.id + " " + line.name, stroke = colour(colours[line.tone]);
      var button = element("button", { type: "button", "aria-pressed": String(!hidden[name]) });
      button.appendChild(element("i", { "class": line.tone }));
      button.appendChild(document.createTextNode(line.name));
      values.push(button.appendChild(element("b")));
      legend.appendChild(element("li")).appendChild(button);
      button.addEventListener("click", function () {
        hidden[name] = !hidden[name];
        button.setAttribute("aria-pressed", String(!hidden[name]));
        plot.setSeries(i + 1, { show: !hidden[name] });
      });
      return {
        label: line.name, stroke: stroke, width: line.tone === "main" ? 1.75 : 1.25, show: !hidden[name],
        fill: chart.lines.length === 1 ? colour("--wash") : undefined,
        points: { show: chart.t.length < 3 ? true : undefined, size: chart.t.length < 3 ? 7 : 4, fill: stroke }
      };
    }));
    var font = "11px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
    var axis = { stroke: soft, font: font, ticks: { show: false } };
    var width = Math.max(200, live.clientWidth), rows = rowsOf(width);
    var plot = new uPlot({
      width: width, height: 190 + rows * 12, padding: rows ? [5 + rows * 12, null, null, null] : undefined, pxAlign: 1, legend: { show: false },
      cursor: { sync: { key: "run", scales: ["x", null] }, drag: { x: true, y: false }, points: { size: 6 }, y: false },
      scales: {
        x: { time: false, range: function (u, a, b) { return u.zoomed && b > a ? [a, b] : [0, Math.max(data.seconds, chart.t[chart.t.length - 1] || 0)]; } },
        y: log ? { distr: 3 } : { range: function (u, a, b) { return [0, b > 0 ? b * 1.06 : 1]; } }
      },
      axes: [
        Object.assign({ values: function (u, list) { return list.map(clock); }, grid: { show: false }, size: 26, gap: 4,
          incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400] }, axis),
        Object.assign({ values: function (u, list) { return list.map(function (v) { return v === null ? "" : unit(v); }); },
          grid: { stroke: rule, width: 1 }, size: 58, gap: 4, incrs: figure.dataset.unit === "size" ? sizes : undefined }, axis)
      ],
      series: series,
      hooks: {
        init: [function (u) { u.rows = rows; }],
        drawClear: data.marks.length ? [bands] : [],
        draw: data.marks.length ? [names] : [],
        setSelect: [function (u) { u.zoomed = u.select.width > 0; }],
        setCursor: [function (u) {
          var at = u.cursor.idx;
          values.forEach(function (b, i) {
            var v = at === null || at === undefined ? null : chart.lines[i].y[at];
            b.textContent = v === null || v === undefined ? "" : unit(v);
          });
          if (when) when.textContent = at === null || at === undefined ? "" : "at " + clock(chart.t[at]);
        }]
      }
    }, [chart.t].concat(chart.lines.map(function (line) { return line.y; })), live);
    plot.over.addEventListener("dblclick", function () { plots.forEach(function (p) { p.zoomed = false; }); });
    live.appendChild(legend);
    var wrap = live.querySelector(".u-wrap");
    wrap.setAttribute("role", "img");
    wrap.setAttribute("tabindex", "0");
    wrap.setAttribute("aria-label", figure.querySelector("h3").textContent + " over time; the figures are in the table below");
    wrap.addEventListener("keydown", function (event) {
      var step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      var at = plot.cursor.idx === null || plot.cursor.idx === undefined ? (step > 0 ? -1 : chart.t.length) : plot.cursor.idx;
      at = Math.min(chart.t.length - 1, Math.max(0, at + step * (event.shiftKey ? 10 : 1)));
      plots.forEach(function (p) { p.setCursor({ left: p.valToPos(chart.t[at], "x"), top: 10 }, true, false); });
    });
    return plot;
  }
  function draw() {
    plots.forEach(function (plot) { plot.destroy(); });
    plots = [];
    var charts = data.scopes[scope].charts;
    Object.keys(charts).forEach(function (key) {
      if (typeof charts[key].t === "number") charts[key].t = data.times[charts[key].t];
    });
    each(document.querySelectorAll("figure.chart"), function (figure) {
      var chart = charts[figure.id.slice(6)];
      figure.hidden = !chart;
      if (chart) plots.push(drawn(figure, chart));
    });
  }
  function charting() {
    root.classList.add("js");
    var scopes = document.getElementById("scopes"), select = document.getElementById("scope");
    if (scopes) {
      scopes.hidden = false;
      scopes.addEventListener("submit", function (event) { event.preventDefault(); });
      document.getElementById("log").addEventListener("change", draw);
    }
    if (select) select.addEventListener("change", function () { scope = Number(select.value); draw(); });
    draw();
    dark.addEventListener("change", draw);
    var width = innerWidth;
    addEventListener("resize", function () {
      if (innerWidth === width) return;
      width = innerWidth;
      plots.forEach(function (plot) {
        var room = plot.root.parentNode.clientWidth;
        if (room) plot.setSize({ width: room, height: 190 + plot.rows * 12 });
      });
    });
  }

  // a line of a file that a link points to is shown; on paper everything is
  function unfold() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    for (var at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target && target.closest("details")) target.scrollIntoView({ block: "center" });
  }
  addEventListener("hashchange", unfold);
  unfold();
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = Array.from(document.querySelectorAll("details.step:not([open]), #about details:not([open])"));
    opened.forEach(function (details) { details.open = true; });
  });
  addEventListener("afterprint", function () { opened.forEach(function (details) { details.open = false; }); });

  // The data is deflated JSON. A browser that can't inflate shows the page as it is without scripts.
  if (!window.DecompressionStream || !window.uPlot) return;
  var bytes = Uint8Array.from(atob(JSON.parse(document.getElementById("data").textContent).deflated), function (c) { return c.charCodeAt(0); });
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json().then(function (found) {
    data = found;
    choosing();
    charting();
    root.dataset.ready = "yes";
  });
})();
