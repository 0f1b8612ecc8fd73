/* Running statistics: what is kept after each batch, the same with the start taken out, and the population. */
(() => {
  "use strict";
  const { define, draw, number, small, moments } = bnInteractive;
  const { h, text, line, axis, table, scale } = draw;
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

  const controls = (data, { momentum, n, steps }) => [
    { kind: "range", key: "momentum", label: "momentum m", min: 0, max: MOMENTA.length - 1, step: 1, value: MOMENTA.indexOf(momentum),
      text: small(momentum), set: at => ({ momentum: MOMENTA[at] }) },
    { kind: "range", key: "steps", label: "Batches seen t", min: 1, max: STEPS, step: 1, value: steps, text: `${steps}` },
    { kind: "range", key: "n", label: "Batch size N", min: 0, max: SIZES.length - 1, step: 1, value: SIZES.indexOf(n), text: `${n}`,
      set: at => ({ n: SIZES[at] }) },
  ];

  const last = values => values[values.length - 1];

  function view(result, { steps }, width) {
    const left = 34, right = width - 12, high = 176;
    const across = scale(0, STEPS, left, right);
    const thin = { fill: "none" };                             // a path is a line, whatever fill its colour class gives
    const panel = (top, title, low, most, from, kept, free, batches, truth) => {
      const up = scale(low, most, top + high - 38, top + 24);
      const held = value => up(Math.max(low, Math.min(most, value)));
      const path = (values, first, kind, style) => h("polyline", { class: kind, style: { ...thin, ...style },
        points: [...first, ...values].map((value, i) => `${across(i + 1 - first.length)},${held(value)}`).join(" ") });
      return h("g", {},
        text(8, top + 14, title, { class: "bn-title" }),
        [0, 1, 2, 3, 4, 5, 6, 7, 8].map(i => Math.ceil(low) + i * Math.ceil((most - low) / 4)).filter(tick => tick <= most)
          .map(tick => text(left - 8, up(tick) + 5, number(tick, 0), { "text-anchor": "end" })),
        batches.map((value, b) => h("circle", { class: "bn-other", cx: across(b + 1), cy: held(value), r: 2 })),
        line(left, up(truth), right, up(truth), { class: "bn-zero" }),
        path(kept, [from], "bn-before", { strokeWidth: 2.5 }),
        path(free, [], "bn-after", { strokeWidth: 2, strokeDasharray: "6 3" }),
        h("circle", { class: "bn-before", cx: across(steps), cy: held(last(kept)), r: 5 }),
        h("circle", { class: "bn-after", cx: across(steps), cy: held(last(free)), r: 5 }),
        axis(across, top + high - 30, [0, 32, 64, 96, 128]));
    };
    const { mu, variance } = result, sigma = Math.sqrt(variance);
    return [
      h("svg", { class: "bn-drawing", viewBox: `0 0 ${width} ${2 * high + 8}`, width, height: 2 * high + 8, role: "img",
        "aria-label": "Two panels against the number of batches: the running mean and the running variance, as kept and with the start "
          + "taken out, over the statistics of the batches. The table holds the last values." },
        panel(0, "mean", Math.min(0, mu - sigma), Math.max(0, mu + sigma), 0, result.means, result.freeMeans, result.batchMeans, mu),
        panel(high, "variance", 0, 2 * Math.max(1, variance), 1, result.vars, result.freeVars, result.batchVars, variance)),
      table("Solid and orange: as kept. Dashed and blue: the start taken out. Dotted: the population. Small dots: single batches, "
        + "those far out at the edge. To the right: batches seen.", [
        ["after t batches", "mean", "variance"],
        ["as kept", number(last(result.means)), number(last(result.vars))],
        ["start taken out", number(last(result.freeMeans)), number(last(result.freeVars))],
        ["only divided by 1 − kᵗ", number(last(result.freeMeans)), number(result.divided)],
        ["population", number(mu), number(variance)],
      ]),
    ];
  }

  const say = (result, { momentum, n, steps }) => `After ${steps} ${steps === 1 ? "batch" : "batches"} of ${n} with momentum ${small(momentum)}, `
    + `${number(100 * result.start, 0)} percent of the average is still its start. Kept are mean ${number(last(result.means))} and variance `
    + `${number(last(result.vars))}; with the start taken out ${number(last(result.freeMeans))} and ${number(last(result.freeVars))}, `
    + `as steady as a plain average of ${number(result.worth, 1)} batches.`;

  define("running", {
    title: "Running statistics, interactive",
    start: () => ({ momentum: 0.02, n: 16, steps: 100 }),
    compute, controls, view, say,
  });
})();
