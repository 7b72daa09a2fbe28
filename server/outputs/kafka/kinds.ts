import { textLike } from "../../config/kind.ts";

/** The names of Kafka topics: https://kafka.apache.org/documentation/#brokerconfigs, "legal characters". */
export const topicName = textLike(
  'letters, digits and . _ -, at most 249 characters, not "." or ".."',
  /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/,
);
