import { textLike } from "../../config/kind.ts";

/** A name that is used in SQL without escaping. */
export const sqlIdentifier = textLike(
  "a letter or _, then letters, digits and _, at most 200 characters",
  /^[A-Za-z_][A-Za-z0-9_]{0,199}$/,
);
