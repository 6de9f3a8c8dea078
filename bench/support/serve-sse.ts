/** Most characters of one event; a server that sends more is broken. */
const longest = 16 * 2 ** 20;

/**
 * The `data` of each server-sent event of a response. Comments and other fields are passed over; several lines of one
 * event are joined, as the standard says. Leaving the loop ends the request.
 */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      if (rest.length > longest) throw new Error("an event has no end");
      let start = 0;
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", start)) {
        const line = rest.slice(start, rest[end - 1] === "\r" && end > start ? end - 1 : end);
        start = end + 1;
        if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
        else if (line === "" && data.length > 0) {
          yield data.join("\n");
          data = [];
        }
      }
      rest = rest.slice(start);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
