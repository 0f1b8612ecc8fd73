/* Backpropagation: what of an upstream gradient comes through batch normalization. */
(() => {
  "use strict";
  const { define, draw, number, small, mean, moments } = bnInteractive;
  const { text, line, dot, axis, table, scale, within, drawing, handle, words } = draw;
  const EPSILONS = [1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.3, 1, 3, 10, 100];
  const LIMIT = 3;                                             // of a value of the upstream gradient

  function compute(data, { dy, eps }) {
    const { gamma, x } = data;
    const centre = moments(x);
    const sigma = Math.sqrt(centre.variance), root = Math.sqrt(centre.variance + eps);
    const z = x.map(value => (value - centre.mean) / sigma);   // x̂ without ε: the direction
    const xHat = x.map(value => (value - centre.mean) / root);
    const level = mean(dy), slope = mean(dy.map((value, i) => value * xHat[i]));
    const dx = dy.map((value, i) => gamma / root * (value - level - xHat[i] * slope));
    const gain = gamma / root;
    const parts = values => {                                  // along ones, along x̂, and the length of what is left
      const along = mean(values), tilt = mean(values.map((value, i) => value * z[i]));
      const rest = values.map((value, i) => (value - along - tilt * z[i]) ** 2);
      return { mean: along, xHat: tilt, rest: Math.sqrt(mean(rest)) };
    };
    const passed = dx.map(value => value / gain);
    return {
      mean: centre.mean, variance: centre.variance, z, xHat, dx, dgamma: slope * dy.length, dbeta: level * dy.length,
      gain, passed, factor: eps / (centre.variance + eps), before: parts(dy), after: parts(passed),
    };
  }

  const factorText = value => value < 0.1 ? small(value) : number(value);

  /* values over x̂ with the straight line that fits them best; what the line leaves over hangs between */
  function panel(title, label, width, z, values, { mean: level, xHat: tilt }, kind, set) {
    const high = 262, top = 34, bottom = high - 38;
    const across = scale(-2.5, 2.5, 34, width - 12), up = scale(-LIMIT, LIMIT, bottom, top);
    const at = value => up(within(-LIMIT, value, LIMIT));
    return drawing(width, high, label, [
      text(8, 16, title, { class: "bn-name" }),
      set && width > 330 && text(width - 8, 16, "drag the dots", { class: "bn-hint", "text-anchor": "end" }),
      line(across(-2.5), up(0), across(2.5), up(0), { class: "bn-zero" }),
      [-2, 0, 2].map(tick => text(26, up(tick) + 5, number(tick, 0), { "text-anchor": "end" })),
      line(across(-2.5), at(level - 2.5 * tilt), across(2.5), at(level + 2.5 * tilt), { class: `bn-line bn-dashed ${kind}` }),
      values.map((value, i) => line(across(z[i]), at(level + tilt * z[i]), across(z[i]), at(value), { class: "bn-line bn-with" })),
      !set && values.map((value, i) => dot(across(z[i]), at(value), 6, kind)),
      axis(across, bottom + 4, [-2, -1, 0, 1, 2]),
    ], set && values.map((value, i) => handle({ at: [across(z[i]), at(value)], along: "y", value, min: -LIMIT, max: LIMIT, step: 0.1, kind: `${kind} bn-many`,
      label: `∂L/∂y of image ${i + 1}`, text: number(value), turn: scale(bottom, top, -LIMIT, LIMIT),
      set: given => set({ dy: values.map((old, k) => k === i ? given : old) }) })));
  }

  function view({ z, passed, before, after }, { dy }, width, set) {
    const beside = width >= 560, one = beside ? (width - 24) / 2 : width;
    return [
      panel("∂L/∂y, what comes from above", "The upstream gradient against x̂, with the line that fits it best.", one, z, dy, before, "bn-without", set),
      panel("∂L/∂x over γ/√(σ²+ε), what comes back", "The gradient that comes back against x̂, with the line that fits it best.", one, z, passed, after, "bn-with"),
    ];
  }

  define("backpropagation", {
    title: "Backpropagation, interactive",
    settings: ({ random }) => ({ dy: { start: random, from: -LIMIT, to: LIMIT }, eps: { start: 1e-5, among: EPSILONS } }),
    compute,
    questions: data => {
      const { z } = compute(data, { dy: data.random, eps: 0 });
      return [
        ["What if all images pull alike?", { dy: z.map(() => 1) }],
        ["What if they pull along x̂?", { dy: z.map(value => Number(value.toFixed(3))) }],
        ["What if one image pulls alone?", { dy: z.map((_, i) => 2 * Number(i === 0)) }],
      ];
    },
    controls: (data, { eps }) => [{ kind: "range", key: "eps", label: "ε", text: small(eps) }],
    view,
    say: ({ before, after }) => ["The straight line through ", words.without("what comes from above"), ` has height ${number(before.mean)} and slope ${number(before.xHat)}. In `,
      words.with("what comes back"), ` the height is ${number(after.mean)} and the slope ${number(after.xHat)}; what the line leaves over, ${number(after.rest)}, is unchanged.`],
    more: (data, settings, { before, after, factor, gain }) => ({ table: table(`All of it is then multiplied by γ/√(σ²+ε) = ${number(gain)}. `
      + "The line in a panel is the mean and the x̂ part together.", [
      ["part of the gradient", "before", "after", "factor"],
      ["the mean", number(before.mean), number(after.mean), "0"],
      ["along x̂", number(before.xHat), number(after.xHat), factorText(factor)],
      ["the rest (root mean square)", number(before.rest), number(after.rest), "1"],
    ]) }),
  });
})();
