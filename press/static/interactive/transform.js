/* The transform: a batch before and after, and where it lies in the noise of batch statistics. */
(() => {
  "use strict";
  const { define, draw, number, small, moments } = bnInteractive;
  const { h, text, line, axis, table, scale } = draw;
  const SIZES = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];
  const MOST = 64;                                             // batches shown in the noise

  const batches = (data, n) => Math.min(MOST, Math.floor(data.order.length / n));

  /* Γ(n/2) / Γ((n-1)/2), by Γ(a + 1) = a Γ(a): exact, one factor a step */
  function gammaRatio(n) {
    let ratio = 1 / Math.sqrt(Math.PI);                        // n = 2
    for (let k = 2; k < n; k += 1) ratio = (k - 1) / 2 / ratio;
    return ratio;
  }

  function compute(data, { population, n, batch, gamma, beta, eps }) {
    const values = data.populations[population];
    const all = moments(values);
    const sigma = Math.sqrt(all.variance);
    const kurtosis = moments(values.map(value => (value - all.mean) ** 2)).variance / all.variance ** 2 + 1;
    const drawn = Array.from({ length: batches(data, n) }, (_, b) => data.order.slice(b * n, b * n + n).map(i => values[i]));
    const x = drawn[batch];
    const { mean, variance } = moments(x);
    const y = x.map(value => gamma * (value - mean) / Math.sqrt(variance + eps) + beta);
    const after = moments(y);
    const every = drawn.map(moments);
    const c = Math.sqrt(2 / n) * gammaRatio(n);
    return {
      x, mean, variance, std: Math.sqrt(variance),
      y, meanAfter: after.mean, stdAfter: Math.sqrt(after.variance),
      mu: all.mean, sigma, kurtosis,
      stdOfMean: sigma / Math.sqrt(n),
      meanOfStd: sigma * c,
      stdOfStd: sigma * Math.sqrt((n - 1) / n - c * c),
      stdOfStdLargeN: sigma * Math.sqrt((kurtosis - 1) / (4 * n)),
      means: every.map(each => each.mean), stds: every.map(each => Math.sqrt(each.variance)),
    };
  }

  const lies = (value, centre, spread) => `${value < centre ? "−" : "+"}${number(Math.abs(value - centre) / spread, 1)}`;

  const controls = (data, { population, n, batch, gamma, beta, eps }) => [
    { kind: "choice", key: "population", label: "Values of", value: population, options: Object.keys(data.populations) },
    { kind: "range", key: "n", label: "Batch size N", min: 0, max: SIZES.length - 1, step: 1, value: SIZES.indexOf(n), text: `${n}`,
      set: at => ({ n: SIZES[at], batch: Math.min(batch, batches(data, SIZES[at]) - 1) }) },
    { kind: "range", key: "batch", label: "Which batch", min: 1, max: batches(data, n), step: 1, value: batch + 1,
      text: `${batch + 1} of ${batches(data, n)}`, set: value => ({ batch: value - 1 }) },
    { kind: "range", key: "gamma", label: "γ", min: -2, max: 2, step: 0.1, value: gamma, text: number(gamma, 1) },
    { kind: "range", key: "beta", label: "β", min: -2, max: 2, step: 0.1, value: beta, text: number(beta, 1) },
    { kind: "range", key: "eps", label: "ε", min: -6, max: 2, step: 0.5, value: Math.log10(eps), text: small(eps),
      set: power => ({ eps: 10 ** power }) },
  ];

  function view(result, { n, batch }, width) {
    const { x, y, mean, std, meanAfter, stdAfter, sigma, mu } = result;
    const far = 5, left = 12, right = width - 12;
    const to = scale(-far, far, left, right);
    const at = value => to(Math.max(-far, Math.min(far, value)));
    const size = n > 48 ? 3 : 4.5;
    // mean and one standard deviation to each side
    const bracket = (centre, spread, height, kind) => h("g", { class: `bn-bracket ${kind}` },
      line(at(centre - spread), height, at(centre + spread), height), line(at(centre), height - 6, at(centre), height + 6));
    const outside = [...x, ...y].filter(value => Math.abs(value) > far).length;
    const wide = scale(-1.5, 3, left, right);
    const held = value => wide(Math.max(-1.5, Math.min(3, value)));
    const strip = (values, centre, spread, height, label) => h("g", {},
      text(left, height - 16, label),
      h("rect", { class: "bn-band", x: held(centre - spread), width: held(centre + spread) - held(centre - spread), y: height - 9, height: 18 }),
      values.map((value, b) => b !== batch && h("circle", { class: "bn-other", cx: held(value), cy: height + b % 5 * 3 - 6, r: 2.5 })),
      h("circle", { class: "bn-before", cx: held(values[batch]), cy: height, r: 5.5 }));
    return [
      h("svg", { class: "bn-drawing", viewBox: `0 0 ${width} 372`, width, height: 372, role: "img",
        "aria-label": "The batch on two lines, before and after, each value joined to what it becomes; below, the means and the standard "
          + "deviations of many batches of this size. The table holds the numbers." },
        text(left, 18, "x, before"),
        bracket(mean, std, 34, "bn-before"),
        x.map((value, i) => line(at(value), 52, at(y[i]), 132, { class: "bn-thread" })),
        x.map(value => h("circle", { class: "bn-before", cx: at(value), cy: 52, r: size })),
        y.map(value => h("circle", { class: "bn-after", cx: at(value), cy: 132, r: size })),
        bracket(meanAfter, stdAfter, 150, "bn-after"),
        text(left, 174, "y, after"),
        outside > 0 && text(right, 174, `${outside} beyond the edge`, { "text-anchor": "end" }),
        axis(to, 184, [-4, -2, 0, 2, 4]),
        strip(result.means, mu, result.stdOfMean, 258, `μ_B of ${result.means.length} batches of ${n}`),
        strip(result.stds, result.meanOfStd, result.stdOfStd, 316, `σ_B of the same batches`),
        axis(wide, 340, [-1, 0, 1, 2, 3])),
      table("The large dot is this batch; a band is the theory, one standard deviation to each side, for σ_B that of Gaussian values.", [
        ["values", "mean", "standard deviation"],
        ["x, before", number(mean), number(std)],
        ["y, after", number(meanAfter), number(stdAfter, 3)],
        ["any batch, if Gaussian", `${number(mu)} ± ${number(result.stdOfMean)}`, `${number(result.meanOfStd)} ± ${number(result.stdOfStd)}`],
        ["this batch is off by", `${lies(mean, mu, result.stdOfMean)} times that`, `${lies(std, result.meanOfStd, result.stdOfStd)} times that`],
        [`large N, κ = ${number(result.kurtosis, 1)}`, `± ${number(result.stdOfMean)}`, `± ${number(result.stdOfStdLargeN)}`],
      ]),
    ];
  }

  const say = (result, { n }) => `A batch of ${n}: mean ${number(result.mean)} and standard deviation ${number(result.std)} before, `
    + `${number(result.meanAfter)} and ${number(result.stdAfter, 3)} after. The mean of such a batch scatters by `
    + `${number(result.stdOfMean)}, its standard deviation by ${number(result.stdOfStd)} if the values are Gaussian.`;

  define("transform", {
    title: "The transform, interactive",
    start: data => ({ population: Object.keys(data.populations)[0], n: 16, batch: 0, gamma: 1, beta: 0, eps: 1e-5 }),
    compute, controls, view, say,
  });
})();
