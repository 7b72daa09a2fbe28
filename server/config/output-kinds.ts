import { type Kind, showAddress, showType, text, textLike } from "./kind.ts";

/** Where an HTTP output listens; `userKey` and `passwordKey` are where its credentials belong. */
export function serverUrl(userKey: string, passwordKey: string): Kind<string> {
  return text(
    `"http://host:port" or "https://host:port", without credentials, "?" and "#"; user and password go to ${userKey} and ${passwordKey}`,
    (value, refuse) => {
      if (!/^https?:\/\/[^\s\p{C}]{1,2000}$/iu.test(value) || !URL.canParse(value)) return refuse();
      if (value.includes("?") || value.includes("#")) return refuse("it has a query or a fragment");
      const url = new URL(value);
      if (url.username !== "" || url.password !== "") {
        return refuse("it holds credentials");
      }
      return value;
    },
    // ClickHouse takes a password in the query too.
    showAddress,
  );
}

/** A name that goes into SQL as it stands. */
export const sqlIdentifier = textLike(
  "a letter or _, then letters, digits and _, at most 200 characters",
  /^[A-Za-z_][A-Za-z0-9_]{0,199}$/,
);

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

/** Names of Kafka topics: https://kafka.apache.org/documentation/#brokerconfigs, "legal characters". */
export const topicName = textLike(
  'letters, digits and . _ -, at most 249 characters, not "." or ".."',
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/,
);

/** RFC 7617, section 2: basic authentication splits at the first colon, so a user has none. */
export const user = textLike(
  "text without colons and control characters, at most 1024 characters",
  /^[^:\p{Cc}]{1,1024}$/u,
  // Who writes "user:password" here has a password in it.
  showType,
);

export const password = textLike(
  "text without control characters, at most 4096 characters",
  /^[^\p{Cc}]{1,4096}$/u,
  showType,
);
