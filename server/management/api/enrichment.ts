import { Elysia } from "elysia";
import type { EnrichmentAnswers } from "./enrichment-answers.ts";
import { jsonAnswer } from "./json-answer.ts";
import { sharedAnswer, sharedForMs } from "./shared-answer.ts";

export interface EnrichmentApiOptions {
  readonly enrichment: EnrichmentAnswers;
  /** Milliseconds, monotonic. */
  readonly monotonic?: () => number;
}

/** `GET /api/v1/enrichment` */
export function createEnrichmentApi({ enrichment, monotonic }: EnrichmentApiOptions) {
  const answer = sharedAnswer(enrichment.all, sharedForMs, monotonic);
  return new Elysia({ strictPath: true }).get("/api/v1/enrichment", () => jsonAnswer(answer()));
}
