/* What every interactive figure shares: it finds the figures of a page, keeps their settings, and draws them anew when one changes.
 *
 * A figure is a file of its own that calls
 *     bnInteractive.define("name", {start, compute, view, say, controls})
 * with, all pure:
 *     start(data)                          the settings at first
 *     compute(data, settings)              every number of the figure; the tests compare it with NumPy
 *     controls(data, settings)             a list of controls, see `control`
 *     view(result, settings, width, set)   the drawing and its table; `set(changes)` changes settings
 *     say(result, settings)                one sentence, shown and announced to screen readers
 * The static figure stays on the page: it is what shows without scripts, in print, and where a figure fails. */
(() => {
  "use strict";
  const { h, render, Component, createRef } = preact;
  const kinds = {};
  const compute = {};

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

  /* {kind: "range", key, label, min, max, step, value, text, size, set}: `text` is shown, and read instead of the number;
   *     size "bn-small" is half as wide, "bn-wide" as wide as the figure
   * {kind: "choice", key, label, value, options, set}
   * {kind: "buttons", label, buttons: [[text, changes], …]}                         set(value) gives the changes */
  function control(name, each, change) {
    const id = `${name}-${each.key}`;
    const listen = event => change((each.set || (value => ({ [each.key]: value })))(
      each.kind === "range" ? Number(event.target.value) : event.target.value));
    if (each.kind === "buttons") {
      return h("div", { class: "bn-buttons", role: "group", "aria-label": each.label },
        h("span", { "aria-hidden": "true" }, each.label),
        each.buttons.map(([text, changes]) => h("button", { type: "button", onClick: () => change(changes) }, text)));
    }
    if (each.kind === "choice") {
      return h("div", { class: "bn-control" }, h("label", { for: id }, each.label),
        h("select", { id, value: each.value, onChange: listen },
          each.options.map(option => h("option", { value: option, selected: option === each.value }, option))));
    }
    const { min, max, step, value, text, size } = each;
    return h("div", { class: size ? `bn-control ${size}` : "bn-control" }, h("label", { for: id }, each.label),
      // the slider itself reads its text out: an output is a live region by birth, and would say it twice
      h("output", { for: id, id: `${id}-shown`, "aria-live": "off" }, text),
      h("input", { type: "range", id, min, max, step, value, "aria-valuetext": text, onInput: listen }));
  }

  const ANNOUNCED_AFTER = 400;                                 // milliseconds of rest: not every step of a drag is read out

  class Figure extends Component {
    constructor({ kind, data, width }) {
      super();
      this.state = { settings: kind.start(data), width, said: "" };
      this.box = createRef();
      this.change = changes => {
        this.setState(({ settings }) => ({ settings: { ...settings, ...changes } }));
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.speak(), ANNOUNCED_AFTER);
      };
    }
    speak() {
      const { kind, data } = this.props;
      this.setState(({ settings }) => ({ said: kind.say(kind.compute(data, settings), settings) }));
    }
    componentDidMount() {
      new ResizeObserver(() => this.setState({ width: this.box.current.clientWidth })).observe(this.box.current);
      this.speak();
    }
    render({ kind, data, name, title }, { settings, width, said }) {
      return h("div", { role: "group", "aria-label": title, ref: this.box },
        h("div", { class: "bn-controls" }, kind.controls(data, settings).map(each => control(name, each, this.change))),
        kind.view(kind.compute(data, settings), settings, Math.max(240, width), this.change),
        h("p", { class: "bn-said", role: "status", "aria-live": "polite", id: `${name}-said` }, said));
    }
  }

  function start(place) {
    const kind = kinds[place.dataset.figure];
    const live = document.createElement("div");
    live.className = "bn-live";
    place.append(live);
    try {
      const data = JSON.parse(place.querySelector("script[type='application/json']").textContent);
      render(h(Figure, { kind, data, name: place.dataset.name, title: kind.title, width: live.clientWidth }), live);
      place.classList.add("bn-running");                       // only now the static figure gives way
    } catch (error) {
      live.remove();
      reportError(error);                                      // in the console; the other figures go on
    }
  }

  /* a table of numbers: the first row and the first column are headings */
  const table = (caption, [head, ...rows]) => h("table", { class: "bn-readout" }, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, head.map(cell => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, rows.map(([first, ...rest]) =>
      h("tr", {}, h("th", { scope: "row" }, first), rest.map(cell => h("td", {}, cell))))));

  const text = (x, y, content, more) => h("text", { x, y, ...more }, content);
  const line = (x1, y1, x2, y2, more) => h("line", { x1, y1, x2, y2, ...more });
  const axis = (to, y, ticks) => h("g", { class: "bn-axis" },
    line(to(ticks[0]), y, to(ticks[ticks.length - 1]), y),
    ticks.map(tick => [line(to(tick), y, to(tick), y + 5), text(to(tick), y + 19, String(tick).replace("-", "−"), { "text-anchor": "middle" })]));

  window.bnInteractive = {
    compute,
    define(name, kind) { kinds[name] = kind; compute[name] = kind.compute; },
    draw: { h, text, line, axis, table, scale },
    number, small, mean, moments,
  };
  const later = window.requestIdleCallback || setTimeout;      // each in a task of its own, so that the page answers in between
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".bn-interactive").forEach(place => later(() => start(place))));
})();
