import { version } from "../version.ts";

/** `loom 0.1.0 (Bun 1.4.5, linux x64)`. */
export function versionText(): string {
  return `loom ${version} (Bun ${Bun.version}, ${process.platform} ${process.arch})`;
}
