const pollIntervalMs = 10;

/**
 * Asks again and again until the answer is neither undefined nor false.
 * @throws Error naming what was waited for, after `maxWaitMs`.
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
    if (performance.now() > deadline) throw new Error(`waited ${maxWaitMs} ms in vain: ${what}`);
    await Bun.sleep(pollIntervalMs);
  }
}
