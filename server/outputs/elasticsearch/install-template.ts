import type { Log } from "../../telemetry/log.ts";
import { type HttpFailure, outcomeOfFailure } from "../http/failure.ts";
import type { ClusterAnswer, ClusterClient } from "./client.ts";
import { errorText, objectOr } from "./error-text.ts";
import { isDateAlone, templateName, templatePatterns } from "./index-names.ts";
import { type InstalledTemplate, matches, readTemplates, templatesPath } from "./installed-templates.ts";
import type { WholeOutcome } from "./judge-answer.ts";
import { indexTemplate, templatePriority, templateVersion } from "./schema.ts";

const maxAnswerBytes = 4 * 1024 * 1024;

export interface TemplateTarget {
  /** What the template is for: an index, perhaps with date parts. */
  readonly pattern: string;
  /** The index that events go to now. */
  readonly index: string;
}

/**
 * Installs the index template, unless one of this version is installed already (an operator may have changed it), or the
 * target is a data stream or would become one by a template of others.
 * @returns undefined when events can be sent; otherwise why they cannot be sent. Without the template the first event
 *   would create a mapping that no later template can fix.
 */
export async function installIndexTemplate(
  client: ClusterClient,
  { pattern, index }: TemplateTarget,
  log: Log,
  signal: AbortSignal,
): Promise<WholeOutcome | undefined> {
  const name = templateName(pattern);
  const get = (path: string) => client.request({ method: "GET", path, maxAnswerBytes }, signal);
  if (isDateAlone(pattern)) {
    log.warn("no index template was installed, because it would also match other indices", { index });
    return undefined;
  }

  const stream = await get(`/_data_stream/${encodeURIComponent(index)}?filter_path=data_streams.name`);
  // 400: an alias. 404: nothing has this name. 400 or 405: the version has no data streams. 403: the user may not ask; a data
  // stream has a template, which the list below shows.
  if (!isOneOf(stream, [200, 400, 403, 404, 405])) return unusable(stream, name);
  if (isDataStream(stream.json, index)) {
    log.info("no index template was installed, because the index is a data stream", { index });
    return undefined;
  }

  const list = await get(templatesPath);
  // 404: there are none.
  if (!isOneOf(list, [200, 404])) return unusable(list, name);
  if (list.json === undefined && list.status === 200)
    return { kind: "retry", reason: "the list of index templates is cut off or too large" };
  const templates = readTemplates(list.json);
  const own = templates.find((template) => template.name === name);
  const others = templates
    .filter((template) => template.name !== name && matches(template, index))
    .sort((a, b) => b.priority - a.priority);

  const [highest] = others;
  if (own === undefined && highest?.isForDataStreams) {
    log.info("no index template was installed, because another template makes the index a data stream", {
      index,
      other: describe(highest),
    });
    return undefined;
  }
  if (own === undefined || !isUpToDate(own, pattern)) {
    const request = { method: "PUT", path: `/_index_template/${encodeURIComponent(name)}` } as const;
    const body = JSON.stringify(indexTemplate(pattern));
    const answer = await client.request(
      { ...request, contentType: "application/json", body, maxAnswerBytes },
      signal,
    );
    if (!isOneOf(answer, [200])) return unusable(answer, name);
    log.info("index template installed", {
      template: name,
      version: templateVersion,
      ...(own?.version !== undefined && { replaced_version: own.version }),
    });
  }
  await reportOverlaps(client, { name, index, others }, log, signal);
  return undefined;
}

interface Overlap {
  /** Loom's template. */
  readonly name: string;
  readonly index: string;
  /** The templates of others that match the index. */
  readonly others: readonly InstalledTemplate[];
}

/** Logs which other templates match the index, and whether one of them is used instead of Loom's. Delivery continues. */
async function reportOverlaps(
  client: ClusterClient,
  { name, index, others }: Overlap,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const path = `/_index_template/_simulate_index/${encodeURIComponent(index)}?filter_path=template.mappings._meta,overlapping`;
  const answer = await client.request({ method: "POST", path, maxAnswerBytes }, signal);
  // Versions that cannot simulate, and users who may not, answer with an error.
  const simulated = isOneOf(answer, [200]) ? objectOr(answer.json) : {};
  const losers = Array.isArray(simulated.overlapping)
    ? simulated.overlapping.map((one) => String(objectOr(one).name))
    : [];
  const { _meta: meta } = objectOr(objectOr(simulated.template).mappings);
  const isBeaten =
    simulated.overlapping === undefined
      ? others.some(({ priority }) => priority > templatePriority)
      : objectOr(meta).loom === undefined && losers.includes(name);

  const known = new Set([name, ...others.map((other) => other.name)]);
  const legacy = losers.filter((loser) => !known.has(loser)).map((loser) => `${loser} (legacy)`);
  const described = [...others.map(describe), ...legacy];
  if (described.length === 0) return;
  const fields = { index, template: name, others: described.join(", ") };
  if (isBeaten)
    log.warn(
      "another index template with a higher priority is used for new indices instead of Loom's",
      fields,
    );
  else
    log.info(
      "Loom's index template is used for new indices instead of the other templates that match",
      fields,
    );
}

function describe({ name, priority }: InstalledTemplate): string {
  return `${name} (priority ${priority})`;
}

function isOneOf(answer: ClusterAnswer | HttpFailure, statuses: readonly number[]): answer is ClusterAnswer {
  return answer.kind === "answered" && statuses.includes(answer.status);
}

/** OpenSearch answers 200 with an empty list for an index that is not a data stream. */
function isDataStream(json: unknown, index: string): boolean {
  const { data_streams: streams } = objectOr(json);
  return Array.isArray(streams) && streams.some((stream) => objectOr(stream).name === index);
}

/** True if an operator's changes have to stay: the template is new enough, and covers every index. */
function isUpToDate(own: InstalledTemplate, pattern: string): boolean {
  if (own.version === undefined || own.version < templateVersion) return false;
  return templatePatterns(pattern).every((wanted) => matches(own, wanted));
}

function unusable(answer: ClusterAnswer | HttpFailure, name: string): WholeOutcome {
  const what = `cannot install index template ${name}`;
  if (answer.kind === "failed") return outcomeOfFailure({ ...answer, reason: `${what}: ${answer.reason}` });
  const { status, retryAfterMs } = answer;
  const reason = `${what}: HTTP ${status} ${errorText(objectOr(answer.json).error)}`.trimEnd();
  if (status === 429 || status >= 500)
    return { kind: "retry", reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { kind: "hold", reason: `${reason}; fix this or set elasticsearch_install_template = false` };
}
