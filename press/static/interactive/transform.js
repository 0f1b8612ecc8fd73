/* The transform: a batch before and after, and where it lies in the noise of batch statistics. */
(() => {
  "use strict";
  const { define, draw, number, small, moments } = bnInteractive;
  const { text, axis, dot, table, scale, within, drawing, beforeAfter, words, h } = draw;
  const SIZES = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];
  const EPSILONS = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100];
  const MOST = 64;                                             // batches shown in the noise

  /* Γ(n/2) / Γ((n-1)/2), by Γ(a + 1) = a Γ(a): exact, one factor a step */
  function gammaRatio(n) {
    let ratio = 1 / Math.sqrt(Math.PI);                        // n = 2
    for (let k = 2; k < n; k += 1) ratio = (k - 1) / 2 / ratio;
    return ratio;
  }

  function compute({ populations, order }, { population, n, batch, x1, gamma, beta, eps }) {
    const values = populations[population];
    const all = moments(values);
    const sigma = Math.sqrt(all.variance);
    const kurtosis = moments(values.map(value => (value - all.mean) ** 2)).variance / all.variance ** 2 + 1;
    const count = Math.min(MOST, Math.floor(order.length / n)), chosen = batch % count;
    const drawn = Array.from({ length: count }, (_, b) => order.slice(b * n, b * n + n).map(i => values[i]));
    const x = drawn[chosen];
    if (x1 !== null) x[0] = x1;
    const { mean, variance } = moments(x);
    const y = x.map(value => gamma * (value - mean) / Math.sqrt(variance + eps) + beta);
    const after = moments(y);
    const every = drawn.map(moments);
    const c = Math.sqrt(2 / n) * gammaRatio(n);
    return {
      x, mean, variance, std: Math.sqrt(variance), chosen, count,
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

  /* the means and the standard deviations of many batches, over what theory says of Gaussian values */
  function noise({ means, stds, mu, stdOfMean, meanOfStd, stdOfStd, chosen }, { n }, width, low) {
    const left = 14, right = width - 14, to = scale(-1.5, 3, left, right);
    const at = value => to(within(-1.5, value, 3));
    const strip = (values, centre, spread, height, label) => [
      text(left, height - 26, label),
      h("rect", { class: "bn-band", x: at(centre - spread), width: at(centre + spread) - at(centre - spread), y: height - 15, height: 30, rx: 3 }),
      values.map((value, b) => b !== chosen && dot(at(value), height + b % 7 * 3.5 - 10.5, 2.5, "bn-other")),
      dot(at(values[chosen]), height, 6, "bn-without")];
    const label = `The means and the standard deviations of ${means.length} batches of ${n}, each over a band: the theory's, one standard deviation to each side.`;
    return drawing(width, low ? 206 : 244, label, [
      strip(means, mu, stdOfMean, low ? 46 : 78, `means of ${means.length} batches of ${n}`),
      strip(stds, meanOfStd, stdOfStd, low ? 124 : 156, "their standard deviations"),
      axis(to, low ? 178 : 218, [-1, 0, 1, 2, 3]),
    ]);
  }

  define("transform", {
    title: "The transform, interactive",
    settings: ({ populations }) => ({
      population: { start: Object.keys(populations)[0], among: Object.keys(populations) }, n: { start: 16, among: SIZES },
      batch: { start: 0, from: 0, to: MOST - 1, step: 1 }, x1: { start: null, from: -5, to: 5, step: 0.1 },
      gamma: { start: 1, from: -2, to: 2, step: 0.1 }, beta: { start: 0, from: -2, to: 2, step: 0.1 }, eps: { start: 1e-5, among: EPSILONS },
    }),
    compute,
    questions: ({ populations }) => [
      ["What if one value is an outlier?", { x1: 4.6 }],
      ["What if there are only two?", { n: 2 }],
      ["What if they come from behind a ReLU?", { population: Object.keys(populations)[1] }],
    ],
    controls: (data, { n, batch }) => [
      { kind: "range", key: "n", label: "Batch size N", text: `${n}` },
      { kind: "button", text: "New batch", changes: { batch: (batch + 1) % MOST, x1: null } },
    ],
    view(result, settings, width, set) {
      const beside = width >= 640, one = beside ? Math.round((width - 32) * 0.58) : width;
      return [beforeAfter(result, one, x1 => set({ x1 })), noise(result, settings, beside ? width - 32 - one : width, !beside)];
    },
    say: ({ x, y, mean, std, meanAfter, stdAfter, stdOfMean }, { n, x1 }) => x1 === null
      ? [`A batch of ${n} comes in with `, words.without(`mean ${number(mean)} and standard deviation ${number(std)}`), " and goes out with ",
        words.with(`${number(meanAfter)} and ${number(stdAfter)}`), `. The means of such batches scatter by ${number(stdOfMean)}. Drag the value in the ring.`]
      : ["One value moves all the others: with it at ", words.without(number(x1, 1)), " the standard deviation is ", words.without(number(std)),
        `, and the other ${n - 1} go out between `, words.with(`${number(Math.min(...y.slice(1)))} and ${number(Math.max(...y.slice(1)))}`), "."],
    more: ({ populations }, { gamma, beta, eps }, result) => ({
      controls: [
        { kind: "range", key: "gamma", label: "γ", text: number(gamma, 1) },
        { kind: "range", key: "beta", label: "β", text: number(beta, 1) },
        { kind: "range", key: "eps", label: "ε", text: small(eps) },
        ...(Object.keys(populations).length > 1 ? [{ kind: "choice", key: "population", label: "Values of" }] : []),
      ],
      table: table(`Batch ${result.chosen + 1} of ${result.count}; the large dot is this batch. A band is the theory, one standard deviation to each side, for the `
        + "standard deviations that of Gaussian values.", [
        ["values", "mean", "standard deviation"],
        ["x, before", number(result.mean), number(result.std)],
        ["y, after", number(result.meanAfter), number(result.stdAfter, 3)],
        ["any batch, if Gaussian", `${number(result.mu)} ± ${number(result.stdOfMean)}`, `${number(result.meanOfStd)} ± ${number(result.stdOfStd)}`],
        ["this batch is off by", `${lies(result.mean, result.mu, result.stdOfMean)} times that`, `${lies(result.std, result.meanOfStd, result.stdOfStd)} times that`],
        [`large N, κ = ${number(result.kurtosis, 1)}`, `± ${number(result.stdOfMean)}`, `± ${number(result.stdOfStdLargeN)}`],
      ]),
    }),
  });
})();
