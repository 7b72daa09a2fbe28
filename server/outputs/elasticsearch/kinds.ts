import { text } from "../../config/kind.ts";

/**
 * An index or alias, with date parts `%Y`, `%m`, `%d`. Elasticsearch's rules:
 * https://www.elastic.co/guide/en/elasticsearch/reference/current/indices-create-index.html#indices-create-api-path-params
 */
export const indexName = text<string>(
  'lower case, without spaces and any of \\ / * ? " < > | , # :, not beginning with - _ +, at most 255 bytes; date parts %Y %m %d',
  (value, refuse) => {
    const onSomeDay = value.replaceAll("%Y", "2026").replaceAll("%m", "01").replaceAll("%d", "01");
    if (onSomeDay.includes("%")) return refuse("an unknown date part");
    if (onSomeDay !== onSomeDay.toLowerCase()) return refuse("upper case");
    if (onSomeDay === "." || onSomeDay === ".." || Buffer.byteLength(onSomeDay) > 255) return refuse();
    return /^(?![-_+])[^\\/*?"<>|\s,#:\p{C}]+$/u.test(onSomeDay) ? value : refuse();
  },
);
