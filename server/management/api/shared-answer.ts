/**
 * The JSON of an answer that is expensive to build and the same for all clients. It is built for a request, and used again
 * for other requests within `maxAgeMs`.
 * @param now milliseconds, monotonic
 */
export function sharedAnswer(
  build: () => object,
  maxAgeMs: number,
  now: () => number = () => performance.now(),
): () => string {
  let text: string | undefined;
  let builtAt = 0;
  return () => {
    const at = now();
    if (text === undefined || at - builtAt >= maxAgeMs) {
      text = JSON.stringify(build());
      builtAt = at;
    }
    return text;
  };
}

/** The longest time for which an answer is used again. */
export const sharedForMs = 1000;
