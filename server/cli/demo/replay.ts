import type { CapturedRequest } from "./captured-requests.ts";

/** Longer bodies are not replayed, because they would fill the terminal. */
const maxReplayedBodyLength = 16_384;

/** The requests whose bodies are short enough to be shown in a terminal. */
export function shortRequests(requests: readonly CapturedRequest[]): CapturedRequest[] {
  return requests.filter(({ body }) => body.length <= maxReplayedBodyLength);
}

/**
 * Sends the captured requests over HTTP, one after the other, and begins again after the last one.
 * @returns a function that stops it
 */
export function startReplay(
  requests: readonly CapturedRequest[],
  options: { readonly url: string; readonly token: string; readonly intervalMs: number },
): () => void {
  let next = 0;
  async function sendNext(): Promise<void> {
    const request = requests[next++ % requests.length];
    if (!request) return;
    const { "content-type": contentType = "", "x-spip-id": sensorId = "" } = request.headers;
    await fetch(new URL(request.path, options.url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${options.token}`,
        "content-type": contentType,
        "x-spip-id": sensorId,
      },
      body: asOfNow(request.body),
      signal: AbortSignal.timeout(options.intervalMs),
    }).catch(() => {}); // Refused while Loom stops or stdout has stalled. Loom has logged it.
  }
  void sendNext();
  const timer = setInterval(sendNext, options.intervalMs);
  return () => clearInterval(timer);
}

/** Replaces the time of the events by the current time. Otherwise the sensor's clock would seem to be wrong by the age of the capture. */
function asOfNow(body: string): string {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return body.replace(/"@timestamp":"[^"]*"/g, `"@timestamp":"${time}"`);
}
