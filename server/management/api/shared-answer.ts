/**
 * The JSON of an answer that is costly to build and the same for everybody: built when somebody asks, and for all who
 * ask within `maxAgeMs`.
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

/** How old what the dashboard shows may be because another viewer asked before. */
export const sharedForMs = 1000;
