import { checkInteger, ggml_sched_priority, type Native, type Pointer } from "../ffi/index.ts";
import { CriaError } from "../lib/errors.ts";
import { Handle } from "./handle.ts";

export interface ThreadPoolOptions {
  threads: number;
  /** How long threads spin for work before they sleep: 0 (not at all) to 100. Low values suit shared machines. */
  poll?: number;
  priority?: "low" | "normal" | "medium" | "high" | "realtime";
  /** Processors the threads may use; default all. */
  processors?: readonly number[];
  /** Pin each thread to one processor. */
  strict?: boolean;
}

/**
 * A pool of ggml compute threads for {@link Context.attachThreadPool}. Contexts that use it keep it alive.
 *
 * Source: `ggml_threadpool_new` in ggml-cpu.h.
 */
export class ThreadPool extends Handle {
  readonly native: Native;

  constructor(native: Native, options: ThreadPoolOptions) {
    super("ThreadPool");
    this.native = native;
    const threads = checkInteger(options.threads, "i32", "threads");
    if (threads < 1 || threads > 512)
      throw new RangeError(`threads must be between 1 and 512, got ${threads}`);
    const poll = checkInteger(options.poll ?? 50, "u32", "poll");
    if (poll > 100) throw new RangeError(`poll must be between 0 and 100, got ${poll}`);
    const struct = native.struct("ggml_threadpool_params");
    native.c.ggml_threadpool_params_init(struct.address, threads);
    struct.set("poll", poll);
    struct.set("strict_cpu", options.strict ?? false);
    const priority = `GGML_SCHED_PRIO_${(options.priority ?? "normal").toUpperCase()}`;
    if (!(priority in ggml_sched_priority)) throw new RangeError(`priority "${options.priority}" is unknown`);
    struct.set("prio", ggml_sched_priority[priority as keyof typeof ggml_sched_priority]);
    const mask = struct.array("cpumask");
    for (const processor of options.processors ?? []) {
      if (!Number.isInteger(processor) || processor < 0 || processor >= mask.length) {
        throw new RangeError(`processors must be numbers from 0 to ${mask.length - 1}, got ${processor}`);
      }
      mask[processor] = 1;
    }
    const pool = native.c.ggml_threadpool_new(struct.address);
    if (pool === 0) throw new CriaError("CONTEXT_INIT", "the thread pool could not be created");
    this.adopt(pool);
  }

  override get pointer(): Pointer<"ggml_threadpool"> {
    return super.pointer as Pointer<"ggml_threadpool">;
  }

  protected override free(pointer: Pointer): void {
    this.native.c.ggml_threadpool_free(pointer as Pointer<"ggml_threadpool">);
  }
}
