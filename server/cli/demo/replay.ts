import type { CapturedRequest } from "./captured-requests.ts";

/** Kept out of the replay: a payload of 16 KB would fill the newcomer's terminal. */
const maxReplayedBodyLength = 16_384;

/** The requests whose bodies are short enough for a terminal. */
export function shortRequests(requests: readonly CapturedRequest[]): CapturedRequest[] {
  return requests.filter(({ body }) => body.length <= maxReplayedBodyLength);
}

/**
 * Sends one captured request after another through the HTTP door, round and round.
 * @returns a function that ends it.
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
    }).catch(() => {}); // refused while stopping or stalled: Loom itself has said so
  }
  void sendNext();
  const timer = setInterval(sendNext, options.intervalMs);
  return () => clearInterval(timer);
}

/** With the time of sending, as a sensor's events have: else its clock would seem to be off by as long as the capture is old. */
function asOfNow(body: string): string {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return body.replace(/"@timestamp":"[^"]*"/g, `"@timestamp":"${time}"`);
}
