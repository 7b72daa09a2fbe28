import type { Log } from "../../telemetry/log.ts";
import { type HttpFailure, outcomeOfFailure } from "../http/failure.ts";
import type { SendOutcome } from "../output.ts";
import type { ClusterAnswer, ClusterClient } from "./client.ts";
import { errorText, objectOr } from "./error-text.ts";
import { hasDateParts, isDateAlone, templateName, templatePatterns } from "./index-names.ts";
import { indexTemplate, templateVersion } from "./schema.ts";

const maxAnswerBytes = 1024 * 1024;

/**
 * Installs the index template, unless one of this version is installed already (an operator may have changed it) or the
 * target is a data stream, which has its own template.
 * @returns undefined when events can be sent; otherwise why they cannot be sent. Without the template the first event
 *   would create a mapping that no later template can fix.
 */
export async function installIndexTemplate(
  client: ClusterClient,
  index: string,
  log: Log,
  signal: AbortSignal,
): Promise<SendOutcome | undefined> {
  const name = templateName(index);
  const path = `/_index_template/${encodeURIComponent(name)}`;
  const get = (from: string) => client.request({ method: "GET", path: from, maxAnswerBytes }, signal);
  const put = (template: unknown) =>
    client.request(
      {
        method: "PUT",
        path,
        contentType: "application/json",
        body: JSON.stringify(template),
        maxAnswerBytes,
      },
      signal,
    );

  if (isDateAlone(index)) {
    log.warn("no index template was installed, because it would match indices of others too", { index });
    return undefined;
  }
  if (!hasDateParts(index)) {
    const stream = await get(`/_data_stream/${encodeURIComponent(index)}?filter_path=data_streams.name`);
    if (isOk(stream)) {
      log.info("no index template was installed, because the index is a data stream", { index });
      return undefined;
    }
    // Versions without data streams answer 400 or 405.
    if (stream.kind === "failed" || ![400, 404, 405].includes(stream.status)) return unusable(stream, name);
  }

  const installed = await get(path);
  if (isOk(installed)) {
    if (isUpToDate(installed.json, index)) return undefined;
  } else if (installed.kind === "failed" || installed.status !== 404) return unusable(installed, name);

  const answer = await put(indexTemplate(index));
  if (!isOk(answer)) return unusable(answer, name);
  log.info("index template installed", { template: name, version: templateVersion });
  return undefined;
}

function isOk(answer: ClusterAnswer | HttpFailure): answer is ClusterAnswer & { readonly status: 200 } {
  return answer.kind === "answered" && answer.status === 200;
}

function isUpToDate(json: unknown, index: string): boolean {
  const { index_templates: found } = objectOr(json);
  const template = objectOr(objectOr(Array.isArray(found) ? found[0] : undefined).index_template);
  const { version, index_patterns: patterns } = template;
  if (typeof version !== "number" || version < templateVersion || !Array.isArray(patterns)) return false;
  return templatePatterns(index).every((pattern) => patterns.includes(pattern));
}

function unusable(answer: ClusterAnswer | HttpFailure, name: string): SendOutcome {
  const what = `cannot install index template ${name}`;
  if (answer.kind === "failed") return outcomeOfFailure({ ...answer, reason: `${what}: ${answer.reason}` });
  const { status, retryAfterMs } = answer;
  const reason = `${what}: HTTP ${status} ${errorText(objectOr(answer.json).error)}`.trimEnd();
  if (status === 429 || status >= 500)
    return { kind: "retry", reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { kind: "hold", reason: `${reason}; fix this or set elasticsearch_install_template = false` };
}
