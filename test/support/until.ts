const pollIntervalMs = 10;

/**
 * Calls the function repeatedly until it returns neither undefined nor false.
 * @throws Error that names what was waited for, after `maxWaitMs`
 */
export async function until<Answer>(
  what: string,
  ask: () => Answer | undefined | false | Promise<Answer | undefined | false>,
  maxWaitMs = 10_000,
): Promise<Answer> {
  const deadline = performance.now() + maxWaitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`gave up waiting after ${maxWaitMs} ms: ${what}`);
    await Bun.sleep(pollIntervalMs);
  }
}
