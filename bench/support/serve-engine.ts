import type { EngineEvent } from "../../src/engine/engine.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import type { Shape } from "./serve-process.ts";
import { prompts, throughput } from "./serve-scenarios.ts";
import { median } from "./table.ts";

async function engineThroughput(engine: WorkerEngine, all: readonly number[][], maxTokens: number) {
  const started = performance.now();
  await Promise.all(
    all.map(async (prompt) => {
      const stream: AsyncIterable<EngineEvent> = engine.submit({
        prompt: Int32Array.from(prompt),
        sampling: { temperature: 0 },
        maxTokens,
        ignoreEos: true,
      });
      for await (const event of stream) if (event.type === "error") throw event.error;
    }),
  );
  return (1000 * all.length * maxTokens) / (performance.now() - started);
}

export interface Share {
  readonly clients: number;
  readonly http: number;
  readonly engine: number;
  /** Median of HTTP by the engine's own, turn by turn, in percent. */
  readonly percent: number;
}

/**
 * What HTTP leaves of the engine's own tokens per second: a server of cria and an engine in this process with the same
 * settings, in turns, each first in every other turn.
 */
export async function shareOfEngine(
  url: string,
  shape: Shape,
  { clients, tokens, rounds }: { clients: number; tokens: number; rounds: number },
): Promise<Share> {
  const { model, parallel, contextLength } = shape;
  await using engine = await WorkerEngine.load(model, {
    threads: 1,
    flashAttention: false,
    contextLength,
    cells: parallel * contextLength,
    parallel,
  });
  const [http, own, ratios]: [number[], number[], number[]] = [[], [], []];
  // The first turn warms both up and is dropped.
  for (let round = -1; round < rounds; round++) {
    const all = prompts(clients, "strangers", 5000 + 10 * clients + round);
    const overHttp = async () => (await throughput(url, all, tokens)).tokensPerSecond;
    const direct = () => engineThroughput(engine, all, tokens);
    let [a, b] = [0, 0];
    if (round % 2 === 0) [a, b] = [await overHttp(), await direct()];
    else {
      b = await direct();
      a = await overHttp();
    }
    if (round < 0) continue;
    http.push(a);
    own.push(b);
    ratios.push(a / b);
  }
  return { clients, http: median(http), engine: median(own), percent: 100 * median(ratios) };
}
