import requestsFile from "./spip-requests.ndjson" with { type: "file" };

/** One request as a real sensor sent it. The addresses were replaced before it came here. */
export interface CapturedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every captured request, in the order in which they were sent. */
export async function capturedRequests(): Promise<CapturedRequest[]> {
  const lines = (await Bun.file(requestsFile).text()).trim().split("\n");
  return lines.map((line): CapturedRequest => JSON.parse(line));
}
