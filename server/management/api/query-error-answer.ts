import type { QueryError } from "../../query/query-error.ts";
import type { QueryErrorAnswer } from "./answers.ts";
import { jsonAnswer, statusOfError } from "./json-answer.ts";

/** The answer to a request with a wrong query: what is wrong with it, and where. */
export function queryErrorAnswer({ start, length, message, suggestion }: QueryError): Response {
  const error = "invalid_query";
  const answer: QueryErrorAnswer = { error, start, length, message, suggestion: suggestion ?? null };
  return jsonAnswer(answer, statusOfError[error]);
}
