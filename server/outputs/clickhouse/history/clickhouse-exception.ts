import { HistoryUnavailable } from "../../../history/history-reader.ts";
import { reasonText } from "../../../http/reason-text.ts";
import { exceptionCode } from "../judge-answer.ts";

/** An exception of ClickHouse; the message has its beginning. */
export class ClickhouseException extends HistoryUnavailable {
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** The text of an exception. */
const maxErrorBytes = 16 * 1024;

/** Why a statement failed. @param response any but one with rows */
export async function exceptionOf(response: Response): Promise<HistoryUnavailable> {
  const { status } = response;
  const body = Buffer.from(await response.arrayBuffer()).toString("utf8", 0, maxErrorBytes);
  const code = exceptionCode({
    kind: "answered",
    status,
    exceptionCode: response.headers.get("x-clickhouse-exception-code"),
    retryAfterMs: undefined,
    body,
    isWhole: true,
  });
  const text = reasonText(body);
  if (code !== undefined) return new ClickhouseException(code, `ClickHouse: exception ${code}: ${text}`);
  return new HistoryUnavailable(
    text === "" ? `ClickHouse: HTTP ${status}` : `ClickHouse: HTTP ${status}: ${text}`,
  );
}
