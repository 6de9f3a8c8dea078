import { wireError } from "./errors.ts";

export interface SseOptions {
  /** Fires when the client has left, where the server learns of it otherwise. */
  readonly signal: AbortSignal;
  /** Milliseconds of silence after which a comment keeps the connection alive. */
  readonly keepAliveMs: number;
  /** Whether a stream that ended well says so with `[DONE]`. */
  readonly done: boolean;
}

/** Milliseconds that a request has to be refused with a status of its own; after that its stream tells. */
const graceMs = 100;

const headers = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-cache",
  // Proxies that buffer would hold tokens back.
  "X-Accel-Buffering": "no",
} as const;

function after(milliseconds: number): { promise: Promise<"late">; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout>;
  const promise = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), milliseconds);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

/** Settles a promise, or tells that it is late. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | "late"> {
  const timer = after(milliseconds);
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    timer.cancel();
  }
}

/**
 * Server-sent events, one for each chunk. What is read is what is computed: the source is asked for the next chunk when
 * the reader has room for it, and its signal fires when the reader leaves.
 * @throws what the source refuses the request with before its first chunk, where it does so within 100 ms.
 */
export async function eventStream(
  begin: (signal: AbortSignal) => AsyncGenerator<unknown, unknown>,
  { signal, keepAliveMs, done }: SseOptions,
): Promise<Response> {
  const gone = new AbortController();
  const source = begin(AbortSignal.any([signal, gone.signal]));
  let pending: Promise<IteratorResult<unknown>> | undefined = source.next();
  let chunks = 0;
  // Whoever asks for it later hears of a failure; until then it must not count as unheard.
  pending.catch(() => {});
  const late = (await within(pending, graceMs)) === "late";
  const encoder = new TextEncoder();
  let heartbeat: ReturnType<typeof setInterval>;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // The headers go out with the first bytes.
        if (late) controller.enqueue(encoder.encode(": computing\n\n"));
        let before = chunks;
        heartbeat = setInterval(() => {
          const silent = chunks === before;
          before = chunks;
          // Who does not read needs no sign of life.
          if (silent && (controller.desiredSize ?? 0) > 0)
            controller.enqueue(encoder.encode(": keep-alive\n\n"));
        }, keepAliveMs / 2);
      },
      async pull(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        try {
          const step = await (pending ?? source.next());
          pending = undefined;
          chunks++;
          if (!step.done) {
            send(`data: ${JSON.stringify(step.value)}\n\n`);
            return;
          }
          if (done) send("data: [DONE]\n\n");
        } catch (error) {
          // Nobody reads what is said to who has left.
          if (!gone.signal.aborted) send(`data: ${JSON.stringify(wireError(error))}\n\n`);
        }
        clearInterval(heartbeat);
        if (!gone.signal.aborted) controller.close();
      },
      cancel() {
        clearInterval(heartbeat);
        gone.abort(new DOMException("the client has left", "AbortError"));
        source.return(undefined).catch(() => {});
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, { headers });
}
