import { describeFailure } from "../../http/request-failure.ts";
import { hideSecrets } from "../../text/hide-secrets.ts";
import { UpdateError } from "./update-error.ts";

export interface DownloadRequest {
  readonly url: string;
  /** Sent to the host of `url` and to no other. */
  readonly authorization: string | undefined;
  /** In lower case; sent to every host. */
  readonly headers?: Readonly<Record<string, string>>;
}

const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a GET request and follows up to 5 redirects, from HTTPS only to HTTPS. `fetch` would follow redirects to plain
 * HTTP.
 * @returns the answer, which is not a redirect; its body is not decompressed
 * @throws UpdateError, or the reason of the signal
 */
export async function openDownload(request: DownloadRequest, signal: AbortSignal): Promise<Response> {
  let url = new URL(request.url);
  let isOwnHost = true;
  for (let followed = 0; followed <= maxRedirects; followed++) {
    const response = await get(url, request, isOwnHost, signal);
    if (!redirects.has(response.status)) return response;
    await response.body?.cancel();
    const next = redirectTarget(url, response.headers.get("location"));
    // A server that the request was sent to by another one does not get the credentials, wherever it redirects.
    isOwnHost &&= next.origin === url.origin;
    url = next;
  }
  throw new UpdateError(`${url.host}: more than ${maxRedirects} redirects`);
}

async function get(
  url: URL,
  { authorization, headers }: DownloadRequest,
  isOwnHost: boolean,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, {
      headers: {
        "user-agent": "loom",
        // The bytes have to be those of the file: its checksum is compared.
        "accept-encoding": "identity",
        ...headers,
        ...(isOwnHost && authorization !== undefined && { authorization }),
      },
      redirect: "manual",
      decompress: false,
      keepalive: false,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    const { reason } = describeFailure(error, signal);
    const secrets = url.search === "" ? [] : [url.search];
    throw new UpdateError(`${url.host}: ${hideSecrets(reason, secrets)}`, { cause: error });
  }
}

function redirectTarget(from: URL, location: string | null): URL {
  const to = location === null ? null : URL.parse(location, from.href);
  if (to?.protocol !== "https:" && to?.protocol !== "http:")
    throw new UpdateError(`${from.host}: it redirects to something that is not a URL of a web server`);
  if (from.protocol === "https:" && to.protocol === "http:")
    throw new UpdateError(`${from.host}: it redirects from HTTPS to HTTP on ${to.host}`);
  to.username = "";
  to.password = "";
  return to;
}
