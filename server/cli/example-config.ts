import embeddedExample from "../config/loom.example.toml" with { type: "text" };

/** The annotated configuration file that `loom example-config` prints. */
export function exampleConfig(): string {
  // Bun types every import of *.toml as the parsed document; with this attribute it is the text.
  const text: string = embeddedExample;
  return text;
}
