/* The profile: the norm of the gradient, layer by layer, without and with batch normalization. */
(() => {
  "use strict";
  const { define, draw, number } = bnInteractive;
  const { h, text, line, axis, table, scale: along } = draw;
  const FLOAT32 = -45;                                         // its smallest positive number, to the power of ten

  const power = value => `10${String(value).replace(/[-0-9]/g, sign => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)])}`;

  function compute(data, { activation, scale, depth }) {
    const chosen = data.profiles[activation][scale][depth];
    const read = ([low, median, high]) => {
      const first = median[0], last = median[median.length - 1];
      return { low, median, high, first, last, ratio: first - last, step: 10 ** ((first - last) / (median.length - 1)),
        lost: median.filter(value => value < FLOAT32).length };
    };
    return { without: read(chosen.without), with: read(chosen.with) };
  }

  const factor = value => value < 0.1 ? number(value, 3) : number(value);

  const controls = ({ profiles }, { activation, scale, depth }) => [
    { kind: "choice", key: "activation", label: "Activation", value: activation, options: Object.keys(profiles) },
    { kind: "choice", key: "scale", label: "Scale of the weights", value: scale, options: Object.keys(profiles[activation]) },
    { kind: "choice", key: "depth", label: "Hidden layers", value: depth, options: Object.keys(profiles[activation][scale]) },
  ];

  function view(result, settings, width) {
    const high = 330, left = 52, right = width - 14, top = 34, bottom = high - 46;
    const layers = result.without.median.length;
    const beat = layers > 25 ? 10 : layers > 9 ? 5 : 2;
    const all = [result.without, result.with].flatMap(each => [...each.low, ...each.high, 0]);
    const least = Math.min(...all), most = Math.max(...all);
    const gap = [1, 2, 5, 10, 20].find(each => (most - least) / each <= 6);
    const from = Math.floor(least / gap) * gap, to = Math.ceil(most / gap + 0.4) * gap;       // room for a label above
    const across = along(1, layers, left + 10, right - 10), up = along(from, to, bottom, top);
    const ticks = Array.from({ length: Math.round((to - from) / gap) + 1 }, (_, i) => from + i * gap);
    const points = values => values.map((value, i) => `${across(i + 1)},${up(value)}`);
    const series = (each, kind, label, below) => h("g", {},
      h("polygon", { class: kind, style: "stroke: none; fill-opacity: .2", points: [...points(each.low), ...points(each.high).reverse()].join(" ") }),
      h("polyline", { class: kind, style: "fill: none; stroke-width: 2.5", points: points(each.median).join(" ") }),
      [0, layers - 1].map(i => h("circle", { class: kind, cx: across(i + 1), cy: up(each.median[i]), r: 5 })),
      text(across(1) + 12, Math.max(top + 2, Math.min(bottom - 6, up(each.median[0]) + (below ? 22 : -12))), label, { class: "bn-title" }));
    const higher = result.with.first > result.without.first;
    return [
      h("svg", { class: "bn-drawing", viewBox: `0 0 ${width} ${high}`, width, height: high, role: "img",
        "aria-label": "The norm of the gradient of each weight matrix on a logarithmic axis, from the first hidden layer to the last, without and "
          + "with batch normalization; bands from the lowest to the highest seed. The table holds the numbers." },
        text(8, 16, "norm of ∂L/∂W, log axis"),
        ticks.map(tick => [line(left - 4, up(tick), right, up(tick), { class: "bn-zero", style: tick ? "stroke-opacity: .25" : "" }),
          text(left - 8, up(tick) + 5, power(tick), { "text-anchor": "end" })]),
        series(result.without, "bn-before", "without BN", higher),
        series(result.with, "bn-after", "with BN", !higher),
        axis(across, bottom + 2, [1, ...Array.from({ length: Math.floor(layers / beat) }, (_, i) => (i + 1) * beat)]),
        text((left + right) / 2, high - 4, "layer, from the input", { "text-anchor": "middle" })),
      table("Medians over the seeds of the chapter. “Per layer” is the factor that one step towards the input multiplies the norm by, on average.", [
        ["log₁₀ of the gradient norm", "without BN", "with BN"],
        ["first layer", number(result.without.first), number(result.with.first)],
        ["last hidden layer", number(result.without.last), number(result.with.last)],
        ["difference", number(result.without.ratio), number(result.with.ratio)],
        ["per layer, a factor of", factor(result.without.step), factor(result.with.step)],
        ["layers below 10⁻⁴⁵, which float32 cannot hold", String(result.without.lost), String(result.with.lost)],
      ]),
    ];
  }

  const say = (result, { activation, scale, depth }) => `${depth} ${activation} layers, weights at scale ${scale}. `
    + `Without batch normalization the gradient norm is 10 to the power ${number(result.without.first)} at the first layer and `
    + `${number(result.without.last)} at the last; with it, ${number(result.with.first)} and ${number(result.with.last)}.`;

  define("profile", {
    title: "Gradient by layer, interactive",
    start: ({ profiles }) => {
      const activation = Object.keys(profiles)[0];
      const scales = Object.keys(profiles[activation]), scale = scales.includes("1") ? "1" : scales[0];
      return { activation, scale, depth: Object.keys(profiles[activation][scale])[0] };
    },
    compute, controls, view, say,
  });
})();
