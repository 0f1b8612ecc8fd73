/* One batch, before and after. */
(() => {
  "use strict";
  const { define, draw, number, moments } = bnInteractive;
  const { table, beforeAfter, words } = draw;
  const EPS = 1e-5;
  const SIZES = [2, 4, 8, 16, 32, 64];

  function compute({ values, order }, { n, batch, x1 }) {
    const first = batch % Math.floor(order.length / n) * n;
    const x = order.slice(first, first + n).map(i => values[i]);
    if (x1 !== null) x[0] = x1;
    const { mean, variance } = moments(x);
    const y = x.map(value => (value - mean) / Math.sqrt(variance + EPS));
    const after = moments(y);
    return { x, y, mean, variance, std: Math.sqrt(variance), meanAfter: after.mean, stdAfter: Math.sqrt(after.variance) };
  }

  define("batch", {
    title: "One batch, before and after",
    settings: ({ order }) => ({
      n: { start: 16, among: SIZES }, batch: { start: 0, from: 0, to: Math.floor(order.length / 16) - 1, step: 1 }, x1: { start: null, from: -14, to: 14, step: 0.1 }, far: { start: 5, among: [5, 14] },
    }),
    compute,
    questions: () => [["What if one value is an outlier?", { x1: 12, far: 14 }], ["What if there are only two?", { n: 2 }]],
    controls: ({ order }, { n, batch }) => [
      { kind: "range", key: "n", label: "Batch size", text: `${n}` },
      { kind: "button", text: "New batch", changes: { batch: (batch + 1) % Math.floor(order.length / 16), x1: null, far: 5 } },
    ],
    view: (result, { far }, width, set) => beforeAfter(result, width, x1 => set({ x1 }), "x̂", far),
    say: ({ x, y, mean, std, meanAfter, stdAfter }, { x1 }) => x.length === 2 && std > 0.1
      ? ["Two values come out as ", words.with("−1 and 1"), ", however far apart they were: ", words.without(`${number(x[0])} and ${number(x[1])}`), " leave nothing else behind."]
      : x1 === null ? [`${x.length} values come in with `, words.without(`mean ${number(mean)} and standard deviation ${number(std)}`),
        ", and go out with ", words.with(`${number(meanAfter)} and ${number(stdAfter)}`), ". Drag the one in the ring."]
      : ["One value alone moves the others: with it at ", words.without(number(x1, 1)), `, the other ${x.length - 1} go out between `,
        words.with(`${number(Math.min(...y.slice(1)))} and ${number(Math.max(...y.slice(1)))}`), "."],
    more: (data, settings, { x, y, mean, std, meanAfter, stdAfter }) => ({ table: table("The first value is the one with the ring.", [
      ["values", "the first", "mean", "standard deviation"],
      ["x, before", number(x[0]), number(mean), number(std)],
      ["x̂, after", number(y[0]), number(meanAfter), number(stdAfter, 3)],
    ]) }),
  });
})();
