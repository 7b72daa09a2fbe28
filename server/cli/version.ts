import { version } from "../version.ts";

/** What `loom version` prints: `loom <version> (Bun <version>, linux x64)`. */
export function versionText(): string {
  return `loom ${version} (Bun ${Bun.version}, ${process.platform} ${process.arch})`;
}
