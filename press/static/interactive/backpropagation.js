/* Backpropagation: what of an upstream gradient comes through batch normalization. */
(() => {
  "use strict";
  const { define, draw, number, small, mean, moments } = bnInteractive;
  const { h, text, line, axis, table, scale } = draw;
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

  const controls = (data, { dy, eps }) => {
    const { z } = compute(data, { dy, eps });
    return [
      { kind: "buttons", label: "Upstream gradient:", buttons: [
        ["all ones", { dy: z.map(() => 1) }],
        ["x̂", { dy: z }],
        ["random", { dy: data.random }],
        ["one image", { dy: z.map((_, i) => Number(i === 0)) }],
      ] },
      { kind: "range", key: "eps", label: "ε", size: "bn-wide", min: -5, max: 2, step: 0.25, value: Math.log10(eps),
        text: small(eps), set: power => ({ eps: 10 ** power }) },
      ...dy.map((value, i) => ({
        kind: "range", key: `dy-${i + 1}`, label: `∂L/∂y${"₁₂₃₄₅₆₇₈₉"[i] || ` ${i + 1}`}`, size: "bn-small", min: -LIMIT, max: LIMIT, step: 0.1, value,
        text: number(value), set: given => ({ dy: dy.map((old, k) => k === i ? given : old) }),
      })),
    ];
  };

  function view(result, { dy }, width, set) {
    const { z, passed, before, after } = result;
    const beside = width >= 560, one = beside ? (width - 24) / 2 : width, high = beside ? 250 : 200;
    const across = scale(-2.5, 2.5, 34, one - 8), up = scale(-LIMIT, LIMIT, high - 34, 26);
    const held = value => up(Math.max(-LIMIT, Math.min(LIMIT, value)));
    /* a point follows the pointer that took it; the sliders are the same for keys and screen readers */
    const take = i => ({
      onPointerDown: event => event.currentTarget.setPointerCapture(event.pointerId),
      onPointerMove: event => {
        const point = event.currentTarget;
        if (!point.hasPointerCapture(event.pointerId)) return;
        const box = point.ownerSVGElement.getBoundingClientRect();
        const given = scale(high - 34, 26, -LIMIT, LIMIT)((event.clientY - box.top) / box.height * high);
        const kept = Math.round(10 * Math.max(-LIMIT, Math.min(LIMIT, given))) / 10;
        set({ dy: dy.map((old, k) => k === i ? kept : old) });
      },
    });
    const panel = (title, label, values, { mean: level, xHat: tilt }, kind, handles) =>
      h("svg", { class: "bn-drawing", viewBox: `0 0 ${one} ${high}`, width: one, height: high,
        role: "img", "aria-label": label },
        text(8, 14, title, { class: "bn-title" }),
        line(across(-2.5), up(0), across(2.5), up(0), { class: "bn-zero" }),
        [-2, 0, 2].map(tick => text(28, up(tick) + 5, number(tick, 0), { "text-anchor": "end" })),
        // the part along ones and x̂ is the least-squares line through the points
        line(across(-2.5), up(level - 2.5 * tilt), across(2.5), up(level + 2.5 * tilt), { class: `bn-fit ${kind}` }),
        values.map((value, i) => [
          line(across(z[i]), held(level + tilt * z[i]), across(z[i]), held(value), { class: `bn-stem ${kind}` }),
          h("circle", { cx: across(z[i]), cy: held(value),
            ...(handles ? { class: `${kind} bn-handle`, r: 7, ...handles(i) } : { class: kind, r: 5 }) })]),
        axis(across, high - 30, [-2, -1, 0, 1, 2]));
    return [
      h("div", { class: "bn-panels" },
        panel("before: ∂L/∂y against x̂", "The upstream gradient against x̂, with the line that fits it best.",
          dy, before, "bn-before", take),
        panel("after: ∂L/∂x over γ/√(σ²+ε)", "The gradient that comes back against x̂, with the line that fits it best.",
          passed, after, "bn-after")),
      table(`All of it is then multiplied by γ/√(σ²+ε) = ${number(result.gain)}. `
        + "The line in a panel is the mean and the x̂ part together.", [
        ["part of the gradient", "before", "after", "factor"],
        ["the mean", number(before.mean), number(after.mean), "0"],
        ["along x̂", number(before.xHat), number(after.xHat), factorText(result.factor)],
        ["the rest (root mean square)", number(before.rest), number(after.rest), "1"],
      ]),
    ];
  }

  const say = ({ before, after, factor }) => `The mean goes from ${number(before.mean)} to ${number(after.mean)}, the x̂ part from `
    + `${number(before.xHat)} to ${number(after.xHat)} (factor ε over σ² plus ε, ${factorText(factor)}), the rest stays ${number(after.rest)}.`;

  define("backpropagation", {
    title: "Backpropagation, interactive",
    start: data => ({ dy: data.random, eps: 1e-5 }),
    compute, controls, view, say,
  });
})();
