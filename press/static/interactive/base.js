/* What every interactive figure shares: it finds the figures of a page, keeps their settings, in the address too, and draws anew when one changes.
 *
 * A figure is a file of its own that calls bnInteractive.define("name", kind), where a kind holds, all pure:
 *     settings(data)                        name -> {start, among} or {start, from, to, step}; a list as `start` has many values of one kind
 *     compute(data, settings)               every number of the figure; the tests compare it with NumPy
 *     questions(data, settings)             [[question, settings that differ from the start], …]; those the data cannot answer are left out
 *     controls(data, settings)              three or fewer, see `control`
 *     view(result, settings, width, set)    the drawing; `set(changes)` changes settings
 *     say(result, settings)                 the sentence that says what is seen; shown at once, announced when it rests
 *     more(data, settings, result)          {controls, table}: what stands folded below
 * The static figure stays on the page: it is what shows without scripts, in print, and where a figure fails. */
(() => {
  "use strict";
  const { h, render, Component, createRef } = preact;
  const kinds = {}, compute = {};
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const number = (value, digits = 2) => {
    const text = value.toFixed(digits);
    return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
  };
  /* a small positive number in words of its size: 0.00001, 0.25, 12 */
  const small = value => String(Number(value.toPrecision(2)));
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
  const moments = values => {                                  // biased, in two passes
    const centre = mean(values);
    return { mean: centre, variance: mean(values.map(value => (value - centre) ** 2)) };
  };
  const scale = (from, to, left, right) => value => left + (value - from) / (to - from) * (right - left);
  const within = (low, value, high) => Math.max(low, Math.min(high, value));

  /* ---- settings, and how they stand in the address: ?figure.setting=value#fig-figure */

  const fits = ({ start, among, from, to }, value) => Array.isArray(start)
    ? Array.isArray(value) && value.length === start.length && value.every(each => fits({ from, to }, each))
    : among ? among.includes(value) : value === start || (Number.isFinite(value) && value >= from && value <= to);
  const same = (one, other) => String(one) === String(other);
  const starts = domains => Object.fromEntries(Object.entries(domains).map(([key, { start }]) => [key, start]));

  function read(name, domains) {
    const found = starts(domains), given = new URLSearchParams(location.search);
    for (const [key, domain] of Object.entries(domains)) {
      const text = given.get(`${name}.${key}`);
      if (!text) continue;
      const value = domain.among ? domain.among.find(each => String(each) === text)
        : Array.isArray(domain.start) ? text.split("_").map(Number)
          : domain.step === 1 ? Math.round(Number(text)) : Number(text);
      if (value !== undefined && fits(domain, value)) found[key] = value;
    }
    return found;
  }

  function write(name, domains, settings) {
    const kept = new URLSearchParams(location.search);
    let changed = false;
    for (const [key, { start }] of Object.entries(domains)) {
      kept.delete(`${name}.${key}`);
      if (same(settings[key], start)) continue;
      kept.set(`${name}.${key}`, [settings[key]].flat().join("_"));
      changed = true;
    }
    const query = String(kept), place = changed ? `#fig-${name}` : location.hash;
    try {
      history.replaceState(history.state, "", `${location.pathname}${query && "?"}${query}${place}`);
    } catch { /* a page opened from a disk may not change its address */ }
  }

  /* ---- controls: {kind: "range", key, label, text}, {kind: "choice", key, label}, {kind: "button", text, changes}, {kind: "play", key} */

  function control(figure, each) {
    const { name } = figure.props, { settings, playing } = figure.state;
    const id = `${name}-${each.key}`, domain = figure.domains[each.key], value = settings[each.key];
    if (each.kind === "button") {
      return h("button", { type: "button", class: "bn-press", onClick: () => figure.change(each.changes) }, each.text);
    }
    if (each.kind === "play") {
      return !still.matches && h("button", { type: "button", class: "bn-press", onClick: () => figure.play(playing ? null : each.key) },
        playing ? "❚❚ Pause" : "▶ Play");
    }
    if (each.kind === "choice") {
      return h("fieldset", { class: "bn-choice" }, h("legend", {}, each.label), domain.among.map((option, i) => h("label", { key: option },
        h("input", { type: "radio", name: id, id: `${id}-${i}`, checked: option === value, onChange: () => figure.change({ [each.key]: option }) }),
        h("span", {}, option))));
    }
    const { among, from = 0, to = among.length - 1, step = 1 } = domain;
    const listen = event => figure.change({ [each.key]: among ? among[event.target.value] : Number(event.target.value) });
    return h("div", { class: "bn-range" }, h("label", { for: id }, each.label),
      // the slider itself reads its text out: an output is a live region by birth, and would say it twice
      h("output", { for: id, id: `${id}-shown`, "aria-live": "off" }, each.text),
      h("input", { type: "range", id, min: from, max: to, step, value: among ? among.indexOf(value) : value, "aria-valuetext": each.text, onInput: listen }));
  }

  /* ---- things to drag: {at: [x, y] in the drawing, along: "x" or "y", value, min, max, step, label, text, kind, turn, set};
   * `turn` makes a value of a place in the drawing, and keys do the same as the pointer */

  function dragged(event, along, turn) {
    const drawing = event.currentTarget.ownerSVGElement, box = drawing.getBoundingClientRect(), whole = drawing.viewBox.baseVal;
    return turn(along === "x" ? (event.clientX - box.left) / box.width * whole.width : (event.clientY - box.top) / box.height * whole.height);
  }
  const follow = (along, take) => ({
    onPointerDown: event => { event.currentTarget.setPointerCapture(event.pointerId); take(event); },
    onPointerMove: event => event.currentTarget.hasPointerCapture(event.pointerId) && take(event),
  });
  function handle({ at: [x, y], along, value, min, max, step, label, text: read, kind, turn, set }) {
    const place = given => set(within(min, Number((Math.round(given / step) * step).toFixed(6)), max));
    const keys = { ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step, PageUp: 10 * step, PageDown: -10 * step, Home: min - max, End: max - min };
    const chevrons = along === "x" ? [`M${x - 14},${y - 4}l-4,4l4,4`, `M${x + 14},${y - 4}l4,4l-4,4`] : [`M${x - 4},${y - 14}l4,-4l4,4`, `M${x - 4},${y + 14}l4,4l4,-4`];
    return h("g", {
      class: `bn-handle ${along === "x" ? "bn-across" : "bn-upright"} ${kind}`, role: "slider", tabindex: 0, "aria-label": label, "aria-valuemin": min, "aria-valuemax": max,
      "aria-valuenow": value, "aria-valuetext": read, "aria-orientation": along === "x" ? "horizontal" : "vertical",
      ...follow(along, event => place(dragged(event, along, turn))),
      onKeyDown: event => {
        if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();                               // on a page of the book an arrow key turns the page
        place(value + keys[event.key]);
      },
    }, h("circle", { class: "bn-reach", cx: x, cy: y, r: 15 }), h("circle", { class: "bn-ring", cx: x, cy: y, r: 10 }),
    h("circle", { class: "bn-knob", cx: x, cy: y, r: 6 }), chevrons.map(d => h("path", { class: "bn-chevron", d })));
  }
  /* a field over which the pointer sets a value too; a handle beside it is for keys and screen readers */
  const field = ({ x, y, width, height, turn, set }) =>
    h("rect", { class: "bn-field", x, y, width, height, ...follow("x", event => set(dragged(event, "x", turn))) });

  /* ---- one figure */

  const RESTS = 400;                                           // milliseconds: not every step of a drag is read out and written
  const PACE = 90;                                             // milliseconds a step of what plays

  class Figure extends Component {
    constructor({ kind, data, name, width }) {
      super();
      this.domains = kind.settings(data);
      this.start = starts(this.domains);
      this.state = { settings: read(name, this.domains), width, announced: "", playing: null };
      this.box = createRef();
      this.change = changes => { this.play(null); this.move(changes); };
    }
    move(changes) {
      this.setState(({ settings }) => ({ settings: { ...settings, ...changes } }));
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.rest(), RESTS);
    }
    rest() {
      write(this.props.name, this.domains, this.state.settings);
      this.setState({ announced: this.box.current.querySelector(".bn-said").textContent });
    }
    play(key) {
      clearInterval(this.clock);
      if (key !== this.state.playing) this.setState({ playing: key });
      if (!key) return;
      const { from, to } = this.domains[key];
      if (this.state.settings[key] === to) this.move({ [key]: from });
      this.clock = setInterval(() => {
        const next = this.state.settings[key] + 1;
        if (next >= to || document.hidden) this.play(null);
        if (next <= to) this.move({ [key]: next });
      }, PACE);
    }
    componentDidMount() {
      new ResizeObserver(() => {
        const width = this.box.current.clientWidth;
        if (width !== this.state.width) this.setState({ width });
      }).observe(this.box.current);
      this.componentDidUpdate();
    }
    /* what stands below must not jump while a slider is dragged: the sentence keeps the most lines it had at this width */
    componentDidUpdate() {
      const said = this.box.current.querySelector(".bn-said");
      if (this.broad !== this.state.width) { this.broad = this.state.width; said.style.minHeight = ""; }
      if (said.scrollHeight > parseFloat(getComputedStyle(said).minHeight)) said.style.minHeight = `${said.scrollHeight}px`;
    }
    render({ kind, data, title }, { settings, width, announced }) {
      const result = kind.compute(data, settings);
      const { controls = [], table: rows } = kind.more(data, settings, result);
      const questions = kind.questions(data, settings).filter(([, changes]) => Object.entries(changes).every(([key, value]) => fits(this.domains[key], value)));
      const set = each => control(this, each);
      const asks = (text, changes) => {
        const whole = { ...this.start, ...changes };
        return h("button", { type: "button", class: "bn-ask", "aria-pressed": String(Object.keys(whole).every(key => same(whole[key], settings[key]))),
          onClick: () => this.change(whole) }, text);
      };
      return h("div", { role: "group", "aria-label": title, ref: this.box },
        h("div", { class: "bn-drawings" }, kind.view(result, settings, Math.max(240, width), this.change)),
        h("p", { class: "bn-said" }, kind.say(result, settings)),
        h("p", { class: "bn-heard", role: "status" }, announced || null),
        h("div", { class: "bn-board" },
          h("div", { class: "bn-controls" }, kind.controls(data, settings).map(set)),
          h("div", { class: "bn-asks" }, questions.map(([text, changes]) => asks(text, changes)),
            h("button", { type: "button", class: "bn-reset", onClick: () => this.change(this.start) }, "Reset"))),
        h("details", { class: "bn-more" }, h("summary", {}, controls.length ? "More settings, and the numbers" : "The numbers"),
          controls.length > 0 && h("div", { class: "bn-controls" }, controls.map(set)), rows));
    }
  }

  function start(place) {
    const kind = kinds[place.dataset.figure], figure = place.querySelector("figure");
    const live = document.createElement("div");
    live.className = "bn-live";
    figure.insertBefore(live, figure.querySelector(":scope > figcaption"));
    try {
      const data = JSON.parse(place.querySelector("script[type='application/json']").textContent);
      place.classList.add("bn-running");                       // only now the static figure gives way
      render(h(Figure, { kind, data, name: place.dataset.name, title: kind.title, width: live.clientWidth }), live);
    } catch (error) {
      place.classList.remove("bn-running");
      live.remove();
      reportError(error);                                      // in the console; the other figures go on
    }
  }

  /* ---- what drawings are made of */

  /* a table of numbers: the first row and the first column are headings */
  const table = (caption, [head, ...rows]) => h("table", { class: "bn-readout" }, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, head.map(cell => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, rows.map(([first, ...rest]) =>
      h("tr", {}, h("th", { scope: "row" }, first), rest.map(cell => h("td", {}, cell))))));

  const text = (x, y, content, more) => h("text", { x, y, ...more }, content);
  const line = (x1, y1, x2, y2, more) => h("line", { x1, y1, x2, y2, ...more });
  const dot = (x, y, r, kind) => h("circle", { class: kind, cx: x, cy: y, r });
  const path = (points, kind) => h("polyline", { class: `bn-line ${kind}`, points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ") });
  const axis = (to, y, ticks, below = 19) => h("g", { class: "bn-axis" },      // `below`: how far down the words stand; a handle needs room
    line(to(ticks[0]), y, to(ticks[ticks.length - 1]), y),
    ticks.map(tick => [line(to(tick), y, to(tick), y + 5), text(to(tick), y + below, String(tick).replace("-", "−"), { "text-anchor": "middle" })]));
  /* shapes are one picture to a screen reader; what can be dragged has a name of its own */
  const drawing = (width, height, label, shapes, handles) => h("svg", { class: "bn-drawing", viewBox: `0 0 ${width} ${height}`, width, height,
    role: handles ? "group" : "img", "aria-label": label }, h("g", { "aria-hidden": "true" }, shapes), handles);
  const legend = entries => h("ul", { class: "bn-legend", "aria-hidden": "true" }, entries.map(([kind, words]) =>
    h("li", {}, h("svg", { class: "bn-drawing", width: 22, height: 12, viewBox: "0 0 22 12" },
      kind === "bn-other" ? dot(11, 6, 3, kind) : line(1, 6, 21, 6, { class: `bn-line ${kind}` })), words)));
  /* words in the colour of what they speak of */
  const words = { with: content => h("b", { class: "bn-with" }, content), without: content => h("b", { class: "bn-without" }, content) };

  /* a batch on two lines, before and after, each value joined to what it becomes; the first value can be dragged */
  function beforeAfter({ x, y, mean: centre, std, meanAfter, stdAfter }, width, set, name = "y", far = 5) {
    const left = 14, right = width - 14, high = 244;
    const to = scale(-far, far, left, right), from = scale(left, right, -far, far);
    const at = value => to(within(-far, value, far));
    const size = x.length > 48 ? 3.5 : 5;
    // mean and one standard deviation to each side
    const bracket = (middle, spread, height, kind, content, below) => h("g", { class: `bn-bracket ${kind}` },
      line(at(middle - spread), height, at(middle + spread), height),
      [-1, 0, 1].map(side => line(at(middle + side * spread), height - (side ? 4 : 7), at(middle + side * spread), height + (side ? 4 : 7))),
      text(within(left + 80, at(middle), right - 80), height + (below ? 24 : -12), content, { "text-anchor": "middle" }));
    const label = "The batch on two lines, before and after, each value joined to what it becomes. The first value can be moved.";
    return drawing(width, high, label, [
      text(left, 82, "x", { class: "bn-name" }), text(left, 161, name, { class: "bn-name" }),
      bracket(centre, std, 44, "bn-without", `mean ${number(centre)}, std ${number(std)}`),
      x.map((value, i) => line(at(value), 78, at(y[i]), 156, { class: i ? "bn-thread" : "bn-thread bn-chosen" })),
      x.slice(1).map(value => dot(at(value), 78, size, "bn-without")),
      y.map((value, i) => dot(at(value), 156, i ? size : 7, "bn-with")),
      bracket(meanAfter, stdAfter, 180, "bn-with", `mean ${number(meanAfter)}, std ${number(stdAfter)}`, true),
      axis(to, 218, far > 5 ? [-10, -5, 0, 5, 10] : [-4, -2, 0, 2, 4]),
    ], handle({ at: [at(x[0]), 78], along: "x", value: x[0], min: -far, max: far, step: 0.1, label: "the first value of the batch",
      text: number(x[0], 1), kind: "bn-without", turn: from, set }));
  }

  window.bnInteractive = {
    compute,
    define(name, kind) { kinds[name] = kind; compute[name] = kind.compute; },
    draw: { h, text, line, dot, path, axis, table, scale, within, drawing, handle, field, legend, words, beforeAfter },
    number, small, mean, moments,
  };
  /* each in a task of its own, so that the page answers in between; at once what is in view, before it has been painted if that can be */
  const later = window.requestIdleCallback ? task => requestIdleCallback(task, { timeout: 500 }) : setTimeout;
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".bn-interactive").forEach(place => {
    const { top, bottom } = place.getBoundingClientRect();
    if (bottom > 0 && top < innerHeight) start(place);
    else later(() => start(place));
  }));
})();
