/* Running statistics: what is kept after each batch, the same with the start taken out, and the population. */
(() => {
  "use strict";
  const { define, draw, number, small, moments } = bnInteractive;
  const { text, line, dot, path, axis, table, scale, within, drawing, handle, field, legend, words } = draw;
  const MOMENTA = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
  const SIZES = [2, 4, 8, 16, 32];
  const STEPS = 128;

  function compute({ population, order }, { momentum, n, steps }) {
    const { mean: mu, variance } = moments(population);
    const k = 1 - momentum;
    const found = { mu, variance, batchMeans: [], batchVars: [], means: [], vars: [], freeMeans: [], freeVars: [] };
    let keptMean = 0, keptVar = 1, start = 1;
    for (let b = 0; b < steps; b += 1) {
      const batch = moments(order.slice(b * n, b * n + n).map(i => population[i]));
      const unbiased = batch.variance * n / (n - 1);
      keptMean = k * keptMean + momentum * batch.mean;
      keptVar = k * keptVar + momentum * unbiased;
      start *= k;
      found.batchMeans.push(batch.mean);
      found.batchVars.push(unbiased);
      found.means.push(keptMean);
      found.vars.push(keptVar);
      found.freeMeans.push(keptMean / (1 - start));
      found.freeVars.push((keptVar - start) / (1 - start));
    }
    const worth = (2 - momentum) * (1 - start) / (momentum * (1 + start));
    return { ...found, start, worth, divided: keptVar / (1 - start) };
  }

  const last = values => values[values.length - 1];

  /* one panel: the statistic of each batch, what is kept, and the same with the start taken out; fainter beyond the cursor */
  function panel(title, width, { low, most, from, kept, free, batches, truth }, all, steps, set, held) {
    const high = 240, left = 34, right = width - 14, top = 30, bottom = high - 40;
    const across = scale(0, STEPS, left, right), up = scale(low, most, bottom, top);
    const at = value => up(within(low, value, most));
    const curve = (values, first) => [...first, ...values].map((value, i) => [across(i + 1 - first.length), at(value)]);
    const ticks = Array.from({ length: 9 }, (_, i) => Math.ceil(low) + i * Math.ceil((most - low) / 4)).filter(tick => tick <= most);
    const turn = x => within(1, Math.round(scale(left, right, 0, STEPS)(x)), STEPS), take = x => set({ steps: turn(x) });
    return drawing(width, high, `${title} against the number of batches: as kept, and with the start taken out, over the statistics of the batches.`, [
      text(left, 16, title, { class: "bn-name" }),
      ticks.map(tick => text(left - 8, up(tick) + 5, number(tick, 0), { "text-anchor": "end" })),
      batches.map((value, b) => dot(across(b + 1), at(value), 2, b < steps ? "bn-other" : "bn-other bn-later")),
      line(left, up(truth), right, up(truth), { class: "bn-zero" }),
      path(curve(all.kept, [from]), "bn-without bn-later"), path(curve(all.free, []), "bn-with bn-dashed bn-later"),
      path(curve(kept, [from]), "bn-without"), path(curve(free, []), "bn-with bn-dashed"),
      line(across(steps), top, across(steps), bottom, { class: "bn-cursor" }),
      dot(across(steps), at(last(kept)), 5, "bn-without"), dot(across(steps), at(last(free)), 5, "bn-with"),
      axis(across, bottom, [0, 32, 64, 96, 128], 28),
      field({ x: left, y: top, width: right - left, height: bottom - top, turn, set: take }),
    ], held && handle({ at: [across(steps), bottom], along: "x", value: steps, min: 1, max: STEPS, step: 1, label: "batches seen", text: `${steps} batches`,
      kind: "bn-plain", turn: scale(left, right, 0, STEPS), set: value => set({ steps: value }) }));
  }

  function view({ mu, variance, whole, ...found }, { steps }, width, set) {
    const beside = width >= 640, one = beside ? (width - 24) / 2 : width, sigma = Math.sqrt(variance);
    return [
      legend([["bn-without", "as kept"], ["bn-with bn-dashed", "the start taken out"], ["bn-zero", "all values"], ["bn-other", "one batch"]]),
      panel("mean", one, { low: Math.min(0, mu - sigma), most: Math.max(0, mu + sigma), from: 0, kept: found.means, free: found.freeMeans,
        batches: whole.batchMeans, truth: mu }, { kept: whole.means, free: whole.freeMeans }, steps, set, true),
      panel("variance", one, { low: 0, most: 2 * Math.max(1, variance), from: 1, kept: found.vars, free: found.freeVars,
        batches: whole.batchVars, truth: variance }, { kept: whole.vars, free: whole.freeVars }, steps, set, false),
    ];
  }

  define("running", {
    title: "Running statistics, interactive",
    settings: () => ({ momentum: { start: 0.02, among: MOMENTA }, n: { start: 16, among: SIZES }, steps: { start: 100, from: 1, to: STEPS, step: 1 } }),
    compute: (data, settings) => ({ ...compute(data, settings), whole: compute(data, { ...settings, steps: STEPS }) }),
    questions: () => [
      ["What if the momentum is 0.5?", { momentum: 0.5 }],
      ["What if it is 0.005?", { momentum: 0.005 }],
      ["What is known after one batch?", { steps: 1 }],
    ],
    controls: (data, { momentum, n }) => [
      { kind: "range", key: "momentum", label: "Momentum m", text: small(momentum) },
      { kind: "range", key: "n", label: "Batch size N", text: `${n}` },
    ],
    view,
    say: (result, { n, steps }) => [`After ${steps} ${steps === 1 ? "batch" : "batches"} of ${n} the start still holds ${number(100 * result.start, 0)} percent. Kept are `,
      words.without(`mean ${number(last(result.means))} and variance ${number(last(result.vars))}`), "; with the start taken out ",
      words.with(`${number(last(result.freeMeans))} and ${number(last(result.freeVars))}`), `; of all values ${number(result.mu)} and ${number(result.variance)}.`],
    more: (data, settings, result) => ({ table: table(`As steady as a plain average of ${number(result.worth, 1)} batches. Dots far out stand at the edge.`, [
      ["after t batches", "mean", "variance"],
      ["as kept", number(last(result.means)), number(last(result.vars))],
      ["start taken out", number(last(result.freeMeans)), number(last(result.freeVars))],
      ["only divided by 1 − kᵗ", number(last(result.freeMeans)), number(result.divided)],
      ["all values", number(result.mu), number(result.variance)],
    ]) }),
  });
})();
