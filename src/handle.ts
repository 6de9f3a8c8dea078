import type { Pointer } from "../ffi/index.ts";
import { DisposedError } from "../lib/errors.ts";

/**
 * Owner of one C object. `dispose` is idempotent, and every use after it throws {@link DisposedError}.
 *
 * A handle that needs another one (a context its model) holds it: the holder's C object is freed at the latest when the last
 * dependant is, never before. Nothing is freed by finalizers, which run at moments of the collector's choosing.
 */
export abstract class Handle implements Disposable {
  readonly #name: string;
  #pointer: Pointer = 0 as Pointer;
  readonly #held: Handle[] = [];
  #dependants = 0;
  #disposed = false;

  constructor(name: string) {
    this.#name = name;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @throws DisposedError */
  get pointer(): Pointer {
    this.assertUsable();
    return this.#pointer;
  }

  /** @throws DisposedError */
  protected assertUsable(): void {
    if (this.#disposed) throw new DisposedError(this.#name);
  }

  /** Takes over a C object, and holds the handle that it needs. */
  protected adopt(pointer: Pointer, owner?: Handle): void {
    this.#pointer = pointer;
    if (owner) this.hold(owner);
  }

  /** Keeps another handle's C object alive while this one uses it. @throws DisposedError */
  protected hold(other: Handle): void {
    other.assertUsable();
    other.#dependants++;
    this.#held.push(other);
  }

  /** Takes back one {@link hold}; frees the other's C object where it was disposed meanwhile. */
  protected letGo(other: Handle): void {
    const index = this.#held.lastIndexOf(other);
    if (index < 0) return;
    this.#held.splice(index, 1);
    other.#dependants--;
    if (other.#disposed && other.#dependants === 0) other.#free();
  }

  /** Gives up a C object that C owns from now on; this handle is then as good as disposed. */
  protected surrender(): Pointer {
    const pointer = this.pointer;
    this.#disposed = true;
    this.#pointer = 0 as Pointer;
    this.#letGoOfAll();
    return pointer;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#dependants === 0) this.#free();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Frees the C object; called once, when nothing depends on it any more. */
  protected abstract free(pointer: Pointer): void;

  #free(): void {
    const pointer = this.#pointer;
    this.#pointer = 0 as Pointer;
    if (pointer !== 0) this.free(pointer);
    this.#letGoOfAll();
  }

  #letGoOfAll(): void {
    for (const other of this.#held.toReversed()) this.letGo(other);
  }
}
