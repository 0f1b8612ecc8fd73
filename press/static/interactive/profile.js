/* The profile: the norm of the gradient, layer by layer, without and with batch normalization. */
(() => {
  "use strict";
  const { define, draw, number, small } = bnInteractive;
  const { h, text, line, dot, path, axis, table, within, drawing, handle, field, words, scale: along } = draw;
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

  /* a number given by its logarithm: 0.25, 4 × 10⁻¹³ */
  const size = log => {
    if (log > -2 && log < 3) return small(10 ** log);
    const whole = Math.floor(log), digits = Math.round(10 ** (log - whole));
    return digits === 10 ? power(whole + 1) : `${digits}\u00a0×\u00a0${power(whole)}`;
  };

  const factor = value => value < 0.1 ? number(value, 3) : number(value);

  function view(result, { layer }, width, set) {
    const high = 348, left = 52, right = width - 16, top = 40, bottom = high - 64;
    const layers = result.without.median.length, chosen = Math.min(layer, layers);
    const beat = layers > 25 ? 10 : layers > 9 ? 5 : 2;
    const all = [result.without, result.with].flatMap(each => [...each.low, ...each.high, 0]);
    const least = Math.min(...all), most = Math.max(...all);
    const gap = [1, 2, 5, 10, 20].find(each => (most - least) / each <= 6);
    const from = Math.floor(least / gap - 0.4) * gap, to = Math.ceil(most / gap + 0.4) * gap;       // room for labels
    const across = along(1, layers, left + 10, right - 10), up = along(from, to, bottom, top);
    const ticks = Array.from({ length: Math.round((to - from) / gap) + 1 }, (_, i) => from + i * gap);
    const points = values => values.map((value, i) => [across(i + 1), up(value)]);
    // labels stand where the two are farthest apart, each on its own side
    const apart = result.without.median.map((value, i) => value - result.with.median[i]);
    const place = apart.reduce((best, value, i) => Math.abs(value) > Math.abs(apart[best]) ? i : best, 0);
    const upper = apart[place] > 0 ? "without" : "with";
    const series = side => {
      const { low, median, high: highest } = result[side], above = side === upper;
      return [
        h("polygon", { class: `bn-spread bn-${side}`, points: [...points(low), ...points(highest).reverse()].map(String).join(" ") }),
        path(points(median), side === "with" ? "bn-with" : "bn-without"), dot(across(chosen), up(median[chosen - 1]), 5.5, side === "with" ? "bn-with" : "bn-without"),
        text(within(left + 60, across(place + 1), right - 60), above ? up(highest[place]) - 12 : up(low[place]) + 22, `${side} BN`,
          { class: side === "with" ? "bn-name bn-with" : "bn-name bn-without", "text-anchor": "middle" }),
      ];
    };
    const turn = x => within(1, Math.round(along(left + 10, right - 10, 1, layers)(x)), layers);
    return drawing(width, high, "The norm of the gradient of each weight matrix on a logarithmic axis, from the first hidden layer to the last, without and "
      + "with batch normalization; bands from the lowest to the highest seed.", [
      text(8, 16, "norm of ∂L/∂W", { class: "bn-name" }),
      ticks.map(tick => [line(left - 4, up(tick), right, up(tick), { class: tick ? "bn-grid" : "bn-zero" }), text(left - 10, up(tick) + 5, power(tick), { "text-anchor": "end" })]),
      line(across(chosen), top, across(chosen), bottom, { class: "bn-cursor" }),
      series("without"), series("with"),
      axis(across, bottom + 2, [1, ...Array.from({ length: Math.floor(layers / beat) }, (_, i) => (i + 1) * beat)], 28),
      text((left + right) / 2, high - 8, "layer, from the input", { "text-anchor": "middle" }),
      field({ x: left, y: top, width: right - left, height: bottom - top, turn, set: value => set({ layer: value }) }),
    ], handle({ at: [across(chosen), bottom + 2], along: "x", value: chosen, min: 1, max: layers, step: 1, label: "layer", text: `layer ${chosen}`, kind: "bn-plain",
      turn: along(left + 10, right - 10, 1, layers), set: value => set({ layer: value }) }));
  }

  define("profile", {
    title: "Gradient by layer, interactive",
    settings: ({ profiles }) => {
      const sorted = names => Object.keys(names).sort((one, other) => one - other);
      const activations = Object.keys(profiles), scales = sorted(profiles[activations[0]]), scale = scales.includes("1") ? "1" : scales[0];
      const depths = sorted(profiles[activations[0]][scale]);
      return { activation: { start: activations[0], among: activations }, scale: { start: scale, among: scales }, depth: { start: depths[0], among: depths },
        layer: { start: 1, from: 1, to: Math.max(...depths), step: 1 } };
    },
    compute,
    questions: () => [
      ["What of weights three times too large?", { activation: "tanh", scale: "3", depth: "50" }],
      ["Does a ReLU need it?", { activation: "ReLU" }],
      ["Where is BN worse?", { activation: "ReLU", depth: "50" }],
    ],
    controls: () => [
      { kind: "choice", key: "activation", label: "Activation" },
      { kind: "choice", key: "scale", label: "Scale of the weights" },
      { kind: "choice", key: "depth", label: "Hidden layers" },
    ],
    view,
    say: (result, { activation, scale, depth, layer }) => {
      const at = Math.min(layer, depth) - 1, norm = side => size(result[side].median[at]);
      return [`${depth} ${activation} layers, weights at scale ${scale}. At layer ${at + 1} the gradient has norm `, words.without(`${norm("without")} without BN`), " and ",
        words.with(`${norm("with")} with it`), "."];
    },
    more: (data, settings, result) => ({
      table: table("Medians over the seeds of the chapter. “Per layer” is the factor that one step towards the input multiplies the norm by, on average.", [
        ["log₁₀ of the gradient norm", "without BN", "with BN"],
        ["first layer", number(result.without.first), number(result.with.first)],
        ["last hidden layer", number(result.without.last), number(result.with.last)],
        ["difference", number(result.without.ratio), number(result.with.ratio)],
        ["per layer, a factor of", factor(result.without.step), factor(result.with.step)],
        ["layers below 10⁻⁴⁵, which float32 cannot hold", String(result.without.lost), String(result.with.lost)],
      ]),
    }),
  });
})();
