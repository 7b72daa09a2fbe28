/** An app or a part of one: it answers requests. */
export interface Api {
  handle(request: Request): Response | Promise<Response>;
}

/** The answer to a GET of this path, parsed as JSON. */
export async function getJson<Answer>(api: Api, path: string): Promise<Answer> {
  const response = await api.handle(new Request(`http://loom.example${path}`));
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return JSON.parse(await response.text());
}

export async function getStatus(api: Api, path: string): Promise<number> {
  return (await api.handle(new Request(`http://loom.example${path}`))).status;
}
