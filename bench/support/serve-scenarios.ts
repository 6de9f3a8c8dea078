import { abandoned, complete, completeWithIds, pause, type Reply, randomTokens } from "./serve-client.ts";

export interface Figure {
  readonly name: string;
  readonly unit: "tokens/s" | "ms" | "tokens" | "MiB" | "%";
  /** Which of two values is the better. */
  readonly better: "more" | "less";
  readonly value: number;
}

export interface Sizes {
  /** Tokens that each request of the throughput scenarios generates. */
  readonly tokens: number;
  /** Tokens of the long prompt. */
  readonly long: number;
  readonly turns: number;
}

export interface Scenario {
  readonly name: string;
  /** Which server it needs: one for many short requests, or one for few long ones. */
  readonly shape: "wide" | "long";
  readonly about: string;
  /** Whether it only has a meaning on a server that was just started. */
  readonly once?: boolean;
  /** Measures once; no two seeds have a prompt in common. */
  measure(url: string, sizes: Sizes, seed: number): Promise<Figure[]>;
}

export const prefixLength = 1000;
export const strangeLength = 32;
const streams = 3;

const rate = (value: number, name: string): Figure => ({ name, unit: "tokens/s", better: "more", value });
const time = (value: number, name: string): Figure => ({ name, unit: "ms", better: "less", value });
const cachedCount = (value: number, name: string): Figure => ({
  name,
  unit: "tokens",
  better: "more",
  value,
});
export const firstTokenMs = ({ sentAt, firstAt }: Reply) => firstAt - sentAt;

/** Prompts with nothing in common, or with a shared prefix and four tokens of their own. */
export function prompts(count: number, kind: "strangers" | "shared", seed: number): number[][] {
  const prefix = kind === "shared" ? randomTokens(prefixLength, seed) : [];
  const own = kind === "shared" ? 4 : strangeLength;
  return Array.from({ length: count }, (_, index) => [
    ...prefix,
    ...randomTokens(own, seed * 1000 + index + 1),
  ]);
}

/** Tokens per second of all clients together, from the first request to the last token, prompts included. */
export async function throughput(url: string, all: readonly number[][], maxTokens: number) {
  const started = performance.now();
  const replies = await Promise.all(all.map((prompt) => complete(url, { prompt, maxTokens })));
  const seconds = (Math.max(...replies.map(({ lastAt }) => lastAt)) - started) / 1000;
  const generated = replies.reduce((sum, reply) => sum + reply.generated, 0);
  return { tokensPerSecond: generated / seconds, gapMs: Math.max(...replies.map(({ gapMs }) => gapMs)) };
}

function clients(count: number, kind: "strangers" | "shared"): Scenario {
  const about = kind === "shared" ? `that share ${prefixLength} tokens` : "with nothing in common";
  return {
    name: `${count}-${kind}`,
    shape: "wide",
    about: `${count} clients at once, prompts ${about}: tokens per second of all together, longest gap in a stream`,
    async measure(url, { tokens }, seed) {
      const { tokensPerSecond, gapMs } = await throughput(url, prompts(count, kind, seed), tokens);
      return [rate(tokensPerSecond, "together"), time(gapMs, "longest gap")];
    },
  };
}

const single: Scenario = {
  name: "single",
  shape: "long",
  about: `one client, a prompt of ${strangeLength} tokens: tokens per second, prompt included; time to the first token`,
  async measure(url, { tokens }, seed) {
    const prompt = randomTokens(strangeLength, seed);
    const reply = await complete(url, { prompt, maxTokens: tokens });
    return [
      rate((1000 * reply.generated) / (reply.lastAt - reply.sentAt), "alone"),
      time(firstTokenMs(reply), "first token"),
    ];
  },
};

const conversation: Scenario = {
  name: "conversation",
  shape: "long",
  about:
    "a conversation that starts with 500 tokens; each turn adds the 16 tokens of the answer and 100 new ones: time to the first token, and prompt tokens from the cache of those that went through before",
  async measure(url, { turns }, seed) {
    let prompt = randomTokens(500, seed);
    let known = 0;
    const figures: Figure[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      const reply = await completeWithIds(url, { prompt, maxTokens: 16 });
      if (turn === 1 || turn === 2 || turn === turns)
        figures.push(time(firstTokenMs(reply), `turn ${turn}, first token`));
      if (turn === 2 || turn === turns)
        figures.push(cachedCount(reply.cached, `turn ${turn}, cached of ${known}`));
      prompt = [...prompt, ...reply.tokens, ...randomTokens(100, seed * 1000 + turn)];
      known = prompt.length - 100;
    }
    return figures;
  },
};

/** Streams that run until they are stopped, and the longest time without a token in any since a given moment. */
async function background(url: string, count: number, seed: number) {
  const controller = new AbortController();
  const { signal } = controller;
  let since = Number.POSITIVE_INFINITY;
  let gapMs = 0;
  let running = 0;
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const lasts: number[] = [];
  const readers = Array.from({ length: count }, (_, index) => {
    const onToken = (at: number) => {
      const last = lasts[index];
      if (last === undefined && ++running === count) resolve();
      if (last !== undefined && at > since) gapMs = Math.max(gapMs, at - Math.max(last, since));
      lasts[index] = at;
    };
    const prompt = randomTokens(20, seed * 100 + index);
    return abandoned(complete(url, { prompt, maxTokens: 4000, signal, onToken }), signal);
  });
  const ended = Promise.all(readers);
  // A stream that fails at once must not leave the others waited for.
  await Promise.race([all, ended]);
  return {
    /** Gaps count from now on. */
    watch: () => {
      since = performance.now();
      gapMs = 0;
    },
    /** The longest gap, one that has not ended included. */
    longestGap: () => {
      const now = performance.now();
      return Math.max(gapMs, ...lasts.map((last) => now - Math.max(last, since)));
    },
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
}

const prefill: Scenario = {
  name: "prefill",
  shape: "long",
  about: `while a long prompt is computed beside ${streams} running streams: longest gap in any, time to answer a request of one word that comes a second later, time to the long prompt's first token`,
  async measure(url, { long }, seed) {
    const beside = await background(url, streams, seed);
    try {
      await pause(1000);
      beside.watch();
      let gapMs = 0;
      const prompt = randomTokens(long, seed * 7 + 1);
      const computing = complete(url, {
        prompt,
        maxTokens: 1,
        onToken: () => {
          gapMs = beside.longestGap();
        },
      });
      // Awaited below; a failure before that is no unhandled one.
      computing.catch(() => {});
      await pause(1000);
      const word = await complete(url, { prompt: randomTokens(2, seed * 7 + 2), maxTokens: 1 });
      return [
        time(firstTokenMs(await computing), "long prompt"),
        time(gapMs, "longest gap"),
        time(firstTokenMs(word), "one word"),
      ];
    } finally {
      await beside.stop();
    }
  },
};

const live: Scenario = {
  name: "live-prefix",
  shape: "long",
  about: `three requests with the ${prefixLength} tokens of a running request's prompt: the least cached tokens and the latest first token of the three`,
  async measure(url, _sizes, seed) {
    const prompt = randomTokens(prefixLength, seed);
    const controller = new AbortController();
    const { signal } = controller;
    const { promise: started, resolve } = Promise.withResolvers<void>();
    const request = complete(url, { prompt, maxTokens: 2000, signal, onToken: () => resolve() });
    const running = abandoned(request, signal);
    await Promise.race([started, running]);
    try {
      const replies = await Promise.all(
        [1, 2, 3].map((last) => complete(url, { prompt: [...prompt, 300 + last], maxTokens: 8 })),
      );
      return [
        cachedCount(Math.min(...replies.map(({ cached }) => cached)), `least cached of ${prefixLength}`),
        time(Math.max(...replies.map(firstTokenMs)), "latest first token"),
      ];
    } finally {
      controller.abort();
      await running;
    }
  },
};

const cancel: Scenario = {
  name: "cancel",
  shape: "long",
  about:
    "a client leaves 1.5 s into a long prompt: time from then to the first token of a request of one word, and of one of 500 tokens that follows it, which has the server to itself only where the long one has ended",
  async measure(url, { long }, seed) {
    const controller = new AbortController();
    const { signal } = controller;
    const request = complete(url, { prompt: randomTokens(long, seed), maxTokens: 1, signal });
    const left = abandoned(request, signal);
    await pause(1500);
    controller.abort();
    const word = await complete(url, { prompt: randomTokens(2, seed * 7 + 3), maxTokens: 1 });
    const next = await complete(url, { prompt: randomTokens(500, seed * 7 + 4), maxTokens: 1 });
    await left;
    return [time(firstTokenMs(word), "one word"), time(firstTokenMs(next), "then 500 tokens")];
  },
};

const aged: Scenario = {
  name: "aged",
  shape: "long",
  once: true,
  about:
    "one client, after 16 prompts of 500 tokens that have nothing in common went through: time to the first token of another such, tokens per second of its answer",
  async measure(url, { tokens }, seed) {
    const strange = (index: number) => randomTokens(500, seed * 1000 + index);
    for (let index = 0; index < 16; index++) await complete(url, { prompt: strange(index), maxTokens: 1 });
    const reply = await complete(url, { prompt: strange(16), maxTokens: tokens });
    return [
      time(firstTokenMs(reply), "first token of 500"),
      rate((1000 * (tokens - 1)) / (reply.lastAt - reply.firstAt), "then alone"),
    ];
  },
};

export const scenarios: readonly Scenario[] = [
  single,
  conversation,
  aged,
  prefill,
  live,
  cancel,
  clients(8, "strangers"),
  clients(8, "shared"),
  clients(32, "strangers"),
  clients(32, "shared"),
];
