/**
 * The configuration is wrong and Loom cannot start with it. The message is one line, made for the
 * operator: `config: <section>: …` for the file, `auth: …` for the tokens. It holds no secret.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
