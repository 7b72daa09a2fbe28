import { printable } from "../../text/printable.ts";
import { truncate } from "../../text/truncate.ts";
import type { Loss } from "./loss-window.ts";

const maxDetailLength = 100;

/** Why the batches of a sensor are refused. If a reason is not listed, its code is shown. */
const causes = new Map([
  ["invalid_request", "its batches are invalid"],
  ["unauthorized", "its X-Spip-ID is not the id of its token"],
  ["not_found", "its requests have a wrong path"],
  ["payload_too_large", "its bodies are too large"],
  ["batch_too_large", "its batches have too many events"],
  ["event_too_large", "one of its events is too large"],
  ["invalid_content_type", "its requests have a wrong content type or encoding"],
  ["client_closed_request", "its connections are cut"],
  ["internal_error", "a defect in Loom"],
  ["unavailable", "Loom cannot keep batches"],
]);

/** "≈ 43 % lost: over 20 requests/s". The sign for "about" is there if the number of lost events is an estimate. */
export function lossWords(loss: Loss): string {
  return `${percentOf(loss)} lost: ${causeOf(loss)}`;
}

/** 100 % means all, and a small loss is never 0 %. */
function percentOf({ share, isEstimate }: Loss): string {
  if (share < 0.01) return "<1 %";
  if (share > 0.99 && share < 1) return ">99 %";
  return `${isEstimate && share < 1 ? "≈ " : ""}${Math.round(share * 100)} %`;
}

function causeOf({ reason, detail }: Loss): string {
  const isDetailCause = reason === "rate_limit_exceeded" || reason === "unavailable";
  if (isDetailCause && detail !== undefined) return printable(truncate(detail, maxDetailLength));
  return causes.get(reason) ?? reason;
}
