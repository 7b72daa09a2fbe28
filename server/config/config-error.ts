/**
 * The configuration is wrong, so that Loom cannot start. The message is one line for the operator:
 * `config: <section>: …` for the file, `auth: …` for the tokens. It does not contain secrets.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
