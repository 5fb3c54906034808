// Random walks: requests in random order with random input, the same ones to both servers. They find what nobody
// thought of writing a scenario for. What a walk does follows from its seed alone.
//
//   FROM   the first seed [1]
//   WALKS  how many walks [4]
//   STEPS  how many acts each takes, most of which are one request [80]
//   PATIENCE  how long the account walk waits for mails, in ms [700]

const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
const from = number("FROM", 1), walks = number("WALKS", 4), steps = number("STEPS", 80);

/** Random choices that follow from the seed. */
export class Random {
  #state;
  constructor(seed) { this.#state = seed | 0; }
  /** A number from 0 to 1, which it is not (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  /** true with probability p. */
  chance(p) { return this.next() < p; }
  /** One of the list; undefined if it is empty. */
  pick(list) { return list[Math.floor(this.next() * list.length)]; }
  /** A key of the weights {key: weight}, more likely the more it weighs. */
  weighted(weights) {
    const all = Object.entries(weights);
    let t = this.next() * all.reduce((sum, [, w]) => sum + w, 0);
    return (all.find(([, w]) => (t -= w) < 0) ?? all[0])[0];
  }
}

/** Without what is undefined: JSON has no such value, and neither has a query. */
export const given = (o) => o && Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));

/**
 * A scenario's parts: one walk for each seed. setUp(random) answers {plugins, options}; start(s, random) prepares and
 * answers {acts, weights}: {name: async () => ...}, and how often each is taken [1].
 */
export const parts = (setUp, start) => Array.from({ length: walks }, (_, i) => {
  const seed = from + i;
  return {
    name: `seed ${seed}`, ...setUp(new Random(seed * 7919)),
    run: async (s) => {
      const random = new Random(seed);
      const { acts, weights } = await start(s, random);
      const all = Object.fromEntries(Object.keys(acts).map((name) => [name, weights[name] ?? 1]));
      for (let n = 0; n < steps; n++) await acts[random.weighted(all)]();
    },
  };
});
