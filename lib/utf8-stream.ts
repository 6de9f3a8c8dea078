/** Turns bytes that arrive in any pieces into text of whole characters; invalid bytes become U+FFFD. */
export class Utf8Stream {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** @returns the text that is complete with these bytes. */
  push(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, { stream: true });
  }

  /** @returns U+FFFD where the bytes ended inside a character, else "". */
  flush(): string {
    return this.#decoder.decode();
  }
}
