import { type Credentials, credentialsFrom } from "./credential-text.ts";

/*
 * Credentials in the fields of a form, of a query, or of a JSON object. The page imports this file too: nothing in it needs Bun
 * or Node.
 */

const userNames = new Set(
  (
    "user username usr uname user_name userid user_id login loginname loginusername login_username log email account " +
    "admin_user j_username pma_username auth_user luser"
  ).split(" "),
);
const passwordNames = new Set(
  (
    "password pass passwd pwd psd passw pw user_password userpassword loginpassword login_password admin_password " +
    "j_password pma_password auth_pass secretkey"
  ).split(" "),
);
const maxFields = 64;
/** The expression below takes the square of a name's length. */
const maxNameLength = 64;
/** The last part of a nested name: `password` of `data[User][password]` and of `login.password`. */
const lastPart = /([\w-]+)\]?$/;

/**
 * Credentials of a form or a query, `user=a&password=b`. A user name alone is not taken: many other forms have one.
 * @param text application/x-www-form-urlencoded
 */
export function formCredentials(text: string): Credentials | undefined {
  const fields = text.split("&", maxFields).map((field): [string, string] => {
    const equals = field.indexOf("=");
    return equals < 0 ? [field, ""] : [decoded(field.slice(0, equals)), field.slice(equals + 1)];
  });
  const found = fieldsOf(fields);
  return found && credentialsFrom(found.user && decoded(found.user), decoded(found.password));
}

/** Credentials among the members of an object, which are not nested. @param text JSON */
export function jsonCredentials(text: string): Credentials | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A body that only looks like JSON, or whose end was not captured, has no credentials that could be read.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const found = fieldsOf(texts);
  return found && credentialsFrom(found.user, found.password);
}

/** The first of each kind; undefined if there is no password. */
function fieldsOf(fields: readonly (readonly [string, string])[]) {
  const firstOf = (names: ReadonlySet<string>) =>
    fields.find(
      ([name]) => name.length <= maxNameLength && names.has((lastPart.exec(name)?.[1] ?? "").toLowerCase()),
    )?.[1];
  const password = firstOf(passwordNames);
  return password === undefined ? undefined : { user: firstOf(userNames), password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // A percent sign without two digits, or bytes that are not UTF-8: the text as it is says more than none.
    return text;
  }
}
