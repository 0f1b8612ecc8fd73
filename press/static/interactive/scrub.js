/* Training, scrubbed: what comes into a layer at every step, and two ways to say how much it changes. */
(() => {
  "use strict";
  const { define, draw, number } = bnInteractive;
  const { h, text, line, dot, path, table, scale, within, drawing, handle, field, words } = draw;
  const SIDES = ["without", "with"];

  /* the width, 85th less 15th percentile, averaged over the steps: what moves are measured in */
  const widthOf = rows => rows.reduce((sum, row) => sum + row[2] - row[0], 0) / rows.length;
  /* the greatest move of a percentile since the step before, and how far the median is from where it began, in widths */
  const moves = rows => rows.map((row, t) => t ? Math.max(...row.map((value, i) => Math.abs(value - rows[t - 1][i]))) / widthOf(rows) : 0);
  const awayOf = rows => rows.map(row => (row[1] - rows[0][1]) / widthOf(rows));
  function median(values) {
    const sorted = [...values].sort((one, other) => one - other), half = sorted.length / 2;
    return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  }
  const best = values => values.reduce((found, value, i) => value > values[found] ? i : found, 0);

  function compute({ steps, layers }, { layer, at }) {
    const { edges, counts, percentiles, shift } = layers[layer];
    const sides = Object.fromEntries(SIDES.map(side => {
      const now = percentiles[side][at];
      return [side, { counts: counts[side][at], start: counts[side][0], rows: percentiles[side], now, away: awayOf(percentiles[side])[at], move: moves(percentiles[side]),
        shift: shift[side], full: median(counts[side].map(row => Math.max(...row))) }];
    }));
    return { steps, step: steps[at], edges, ...sides };
  }

  /* where the layer's input without BN is farthest from its start; and where the changes of the two gradients differ by the largest factor */
  function landmarks({ layers }, layer) {
    const { percentiles, shift } = layers[layer];
    return { most: best(awayOf(percentiles.without).map(Math.abs)), apart: best(shift.with.map((value, t) => Math.abs(Math.log(value / shift.without[t])))) };
  }
  const went = away => `${number(Math.abs(away))} widths${away < 0 ? " (down)" : ""}`;

  /* a few ticks at round places */
  function ticksOf(low, most, wanted) {
    const gap = [1, 2, 5, 10].map(each => each * 10 ** Math.floor(Math.log10((most - low) / wanted))).find(each => (most - low) / each <= wanted);
    return Array.from({ length: Math.floor(most / gap) - Math.ceil(low / gap) + 1 }, (_, i) => Number(((Math.ceil(low / gap) + i) * gap).toPrecision(6)));
  }
  /* round steps to write under the axis, not too near to one another; steps need not be recorded evenly */
  function stepsOf(steps, across, apart) {
    const last = steps.length - 1, first = Math.max(steps[0], 1);
    const even = (steps[last] - steps[0]) / last < 2 * (steps[1] - steps[0]);
    const powers = Array.from({ length: 9 }, (_, i) => [1, 2, 5].map(each => each * 10 ** i)).flat().filter(step => step >= first && step <= steps[last]);
    const where = step => {
      const next = Math.max(1, steps.findIndex(each => each >= step));
      return across(next - 1 + (step - steps[next - 1]) / (steps[next] - steps[next - 1]));
    };
    const places = (even ? ticksOf(steps[0], steps[last], 6) : [steps[0], ...powers]).map(step => [step, where(step)]);
    return places.reduce((kept, each) => !kept.length || each[1] - kept[kept.length - 1][1] >= apart ? [...kept, each] : kept, []);
  }
  const short = value => String(value).replace("-", "−");
  const power = value => `10${String(value).replace(/[-0-9]/g, sign => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)])}`;

  function view(result, { at }, width, set) {
    const { steps, edges } = result, last = steps.length - 1;
    const left = 40, tall = 138, low = 108, gap = 34, high = 2 * (tall + gap) + low + 66;
    const room = Math.round(within(70, width * 0.24, 210)), right = width - room - 12;
    const across = scale(0, last, left, right), back = scale(left, right, 0, last);
    const turn = x => within(0, Math.round(back(x)), last);
    const least = edges[0], most = edges[edges.length - 1];

    const panel = (side, top) => {
      const { counts, start, rows, now, full } = result[side], kind = side === "with" ? "bn-with" : "bn-without";
      const up = scale(least, most, top + tall, top), bars = scale(0, 1.2 * full, right + 12, width - 2), held = value => up(within(least, value, most));
      const out = count => Math.min(width - 2, bars(count));     // where all values fall into one bin the bar is cut off: the others stay to be seen
      const outline = values => [[out(0), up(edges[0])], ...values.flatMap((count, i) => [[out(count), up(edges[i])], [out(count), up(edges[i + 1])]]), [out(0), up(most)]];
      return [
        text(left, top - 10, `${side} BN: input of the unit`, { class: `bn-name ${kind}` }),
        ticksOf(least, most, 4).map(tick => [line(left, up(tick), width - 2, up(tick), { class: "bn-grid" }), text(left - 8, up(tick) + 5, short(tick), { "text-anchor": "end" })]),
        h("polygon", { class: `bn-spread ${kind}`, points: [...rows.map((row, t) => [across(t), held(row[0])]), ...rows.map((row, t) => [across(t), held(row[2])]).reverse()]
          .map(String).join(" ") }),
        [0, 2].map(i => path(rows.map((row, t) => [across(t), held(row[i])]), `bn-thin ${kind}`)),
        path(rows.map((row, t) => [across(t), held(row[1])]), kind),
        h("polygon", { class: `bn-bars ${kind}`, points: outline(counts).map(String).join(" ") }),
        path(outline(start), "bn-ghost"),
        line(across(at), top, across(at), top + tall, { class: "bn-cursor" }),
        now.map((value, i) => dot(across(at), held(value), i === 1 ? 5 : 3.5, kind)),
      ];
    };

    const below = 30 + 2 * (tall + gap), values = SIDES.flatMap(side => result[side].shift).map(Math.log10);
    const floor = Math.min(...values), roof = Math.max(...values), margin = 0.06 * (roof - floor) || 1;
    const up = scale(floor - margin, roof + margin, below + low, below);
    const whole = ticksOf(floor - margin, roof + margin, 4).filter(Number.isInteger);
    const ticks = whole.length > 1 ? whole.map(value => [value, power(value)])
      : ticksOf(10 ** (floor - margin), 10 ** (roof + margin), 4).filter(value => value > 0).map(value => [Math.log10(value), short(value)]);
    const marks = stepsOf(steps, across, 56);
    return drawing(width, high, "Without and with batch normalization, over the steps of training: the 15th, 50th and 85th percentile of a layer's input, beside "
      + "the histogram at one step; below, the change of the gradient on a logarithmic axis.", [
      panel("without", 30), panel("with", 30 + tall + gap),
      text(left, below - 10, "change of the gradient, on a log scale", { class: "bn-name" }),
      ticks.map(([value, label]) => [line(left, up(value), right, up(value), { class: "bn-grid" }), text(left - 8, up(value) + 5, label, { "text-anchor": "end" })]),
      SIDES.map(side => path(result[side].shift.map((value, t) => [across(t), up(Math.log10(value))]), side === "with" ? "bn-with" : "bn-without")),
      line(across(at), below, across(at), below + low, { class: "bn-cursor" }),
      SIDES.map(side => dot(across(at), up(Math.log10(result[side].shift[at])), 5, side === "with" ? "bn-with" : "bn-without")),
      h("g", { class: "bn-axis" }, line(left, below + low, right, below + low),
        marks.map(([step, x]) => [line(x, below + low, x, below + low + 5), text(x, below + low + 28, String(step), { "text-anchor": "middle" })])),
      text(right + 16, below + low - 32, "step"), text(right + 16, below + low - 6, String(result.step), { class: "bn-large" }),
      field({ x: left, y: 30, width: right - left, height: below + low - 30, turn, set: t => set({ at: t }) }),
    ], handle({ at: [across(at), below + low], along: "x", value: at, min: 0, max: last, step: 1, label: "step of training", text: `step ${result.step}`, kind: "bn-plain",
      turn: back, set: t => set({ at: t }) }));
  }

  define("scrub", {
    title: "The input of a layer during training, interactive",
    settings: ({ steps, layers }) => ({
      at: { start: Math.round(steps.length / 6), from: 0, to: steps.length - 1, step: 1 }, layer: { start: Object.keys(layers)[0], among: Object.keys(layers) },
    }),
    compute,
    questions: (data, { layer }) => {
      const { most, apart } = landmarks(data, layer);
      return [["How did it start?", { layer, at: 0 }], ["Where is the input farthest from its start?", { layer, at: most }],
        ["Where do the gradients differ most?", { layer, at: apart }]];
    },
    controls: () => [{ kind: "play", key: "at" }, { kind: "choice", key: "layer", label: "Input of" }],
    view,
    say: ({ without, with: withIt, step }, { at }) => {
      const ratio = withIt.shift[at] / without.shift[at];
      return [`Step ${step}. Since the start the median has moved by `, words.without(`${went(without.away)} without BN`), " and by ", words.with(`${went(withIt.away)} with it`),
        `. With it the gradient now changes ${number(ratio, ratio < 0.95 ? 2 : Number(ratio < 10))} times as much as without.`];
    },
    more: (data, { at }, { without, with: withIt, step }) => ({ table: table(`At step ${step}. A width is the 85th less the 15th percentile, averaged over the steps; a move is the greatest `
      + "of a percentile since the step recorded before. The two bars at the ends of a histogram collect the rest; its thin outline is the first step's.", [
      ["input and gradient", "without BN", "with BN"],
      ["15th percentile", number(without.now[0]), number(withIt.now[0])],
      ["median", number(without.now[1]), number(withIt.now[1])],
      ["85th percentile", number(without.now[2]), number(withIt.now[2])],
      ["move, in widths", number(without.move[at]), number(withIt.move[at])],
      ["change of the gradient", String(without.shift[at]), String(withIt.shift[at])],
    ]) }),
  });
})();
