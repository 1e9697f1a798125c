/** A longer line is cut: one answer of a model is far shorter. */
export const maxLine = 16_777_216;

/** The lines of a UTF-8 stream without their ends; the rest after the last end is a line if it is not empty. Rejects when the stream breaks. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let remainder = "";
  for await (const chunk of stream) {
    remainder += decoder.decode(chunk, { stream: true });
    const lines = remainder.split("\n");
    remainder = (lines.pop() ?? "").slice(0, maxLine);
    yield* lines;
  }
  remainder += decoder.decode();
  if (remainder !== "") yield remainder;
}
