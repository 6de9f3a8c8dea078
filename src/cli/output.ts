/**
 * Writes to standard output, and waits until the reader has room for more.
 * @throws the system's error; its code is EPIPE where the reader has gone.
 */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
