import type { Engine } from "../engine/engine.ts";
import type { Listener } from "../server/listen.ts";

export interface Stoppable {
  readonly listener: Listener;
  readonly engine: Engine;
  /** Has new requests refused. */
  readonly drain: () => void;
  /** That running requests have to end. */
  readonly seconds: number;
}

const say = (text: string) => process.stderr.write(`cria: ${text}\n`);

/**
 * Waits for SIGTERM or SIGINT, then until running requests have ended, or their time is up. A second signal ends them
 * at once.
 */
export async function untilStopped({ listener, engine, drain, seconds }: Stoppable): Promise<void> {
  let again = () => {};
  const second = new Promise<void>((resolve) => {
    again = resolve;
  });
  await new Promise<void>((resolve) => {
    let first = true;
    const onSignal = () => {
      if (first) resolve();
      else again();
      first = false;
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
  drain();
  const running = engine.requestCount;
  if (running > 0) say(`stopping; ${running} running requests have ${seconds} seconds to end`);
  const stopped = listener.stop();
  const limit = new Promise<void>((resolve) => setTimeout(resolve, 1000 * seconds).unref());
  await Promise.race([idle(engine), limit, second]);
  // What has been computed still has to reach its readers.
  await Promise.race([stopped, second, new Promise<void>((resolve) => setTimeout(resolve, 500))]);
  await listener.end();
}

/** Resolves when no request waits or runs. */
async function idle(engine: Engine): Promise<void> {
  while (engine.requestCount > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
