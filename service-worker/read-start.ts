/**
 * Reads the first bytes of a stream, and no more, because the next ones belong to somebody else.
 *
 * @returns less if the stream ends before
 */
export async function readStart(readable: ReadableStream<Uint8Array>, length: number): Promise<string> {
  const reader = readable.getReader({ mode: "byob" });
  try {
    const { value } = await reader.readAtLeast(length, new Uint8Array(length));
    return new TextDecoder().decode(value);
  } finally {
    reader.releaseLock();
  }
}
