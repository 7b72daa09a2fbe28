import requestsFile from "./spip-requests.ndjson" with { type: "file" };

/** One request of a real sensor. Its addresses were replaced. */
export interface CapturedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every captured request, in the order in which the sensor sent them. */
export async function capturedRequests(): Promise<CapturedRequest[]> {
  const lines = (await Bun.file(requestsFile).text()).trim().split("\n");
  return lines.map((line): CapturedRequest => JSON.parse(line));
}
