import requestsFile from "../../../test/fixtures/spip-requests.ndjson" with { type: "file" };

/** One request as a real sensor sent it; addresses replaced before it came here. */
export interface CapturedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Kept out of the replay: a payload of 16 KB would fill the newcomer's terminal. */
const maxReplayedBodyLength = 16_384;

/** The captured requests that are small enough to look at. */
export async function capturedRequests(): Promise<CapturedRequest[]> {
  const lines = (await Bun.file(requestsFile).text()).trim().split("\n");
  return lines
    .map((line): CapturedRequest => JSON.parse(line))
    .filter(({ body }) => body.length <= maxReplayedBodyLength);
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
