import { objectOr } from "./error-text.ts";

/** A composable index template of the cluster. */
export interface InstalledTemplate {
  readonly name: string;
  readonly patterns: readonly string[];
  /** Of the templates that match a new index, only the one with the highest number is used. */
  readonly priority: number;
  /** undefined if it has none. */
  readonly version: number | undefined;
  /** True if it makes a data stream of each new name. */
  readonly isForDataStreams: boolean;
}

/** The path that lists the templates, without their mappings. */
export const templatesPath = `/_index_template?filter_path=${[
  "name",
  ...["index_patterns", "priority", "version", "data_stream"].map((field) => `index_template.${field}`),
]
  .map((field) => `index_templates.${field}`)
  .join(",")}`;

/** Reads an answer to {@link templatesPath}. */
export function readTemplates(json: unknown): InstalledTemplate[] {
  const { index_templates: found } = objectOr(json);
  if (!Array.isArray(found)) return [];
  return found.map((one) => {
    const { name, index_template: template } = objectOr(one);
    const { index_patterns: patterns, priority, version, data_stream: dataStream } = objectOr(template);
    return {
      name: String(name),
      patterns: Array.isArray(patterns) ? patterns.map(String) : [String(patterns)],
      priority: typeof priority === "number" ? priority : 0,
      version: typeof version === "number" ? version : undefined,
      isForDataStreams: dataStream !== undefined,
    };
  });
}

/** True if a pattern of the template matches. @param name an index, or a pattern that is matched as text */
export function matches({ patterns }: InstalledTemplate, name: string): boolean {
  return patterns.some((pattern) => {
    const literals = pattern.split("*").map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${literals.join(".*")}$`).test(name);
  });
}
