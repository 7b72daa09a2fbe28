import { type Kind, showAddress, showType, text, textLike } from "../../config/kind.ts";

/**
 * The address of a server that is reached over HTTP.
 * @param userKey the key that the user belongs in, for the error on an address with credentials
 * @param passwordKey the same for the password
 */
export function serverUrl(userKey: string, passwordKey: string): Kind<string> {
  return text(
    `"http://host:port" or "https://host:port", without credentials, "?" and "#"; user and password go to ${userKey} and ${passwordKey}`,
    (value, refuse) => {
      if (!/^https?:\/\/[^\s\p{C}]{1,2000}$/iu.test(value) || !URL.canParse(value)) return refuse();
      if (value.includes("?") || value.includes("#")) return refuse("it has a query or a fragment");
      const url = new URL(value);
      if (url.username !== "" || url.password !== "") return refuse("it contains credentials");
      return value;
    },
    // A query may contain a password too: ClickHouse accepts one there.
    showAddress,
  );
}

/** RFC 7617, section 2: basic authentication splits at the first colon, so a user name cannot contain one. */
export const user = textLike(
  "text without colons and control characters, at most 1024 characters",
  /^[^:\p{Cc}]{1,1024}$/u,
  // An operator who writes "user:password" here has written a password.
  showType,
);

/** A password or an API key. */
export const password = textLike(
  "text without control characters, at most 4096 characters",
  /^[^\p{Cc}]{1,4096}$/u,
  showType,
);
