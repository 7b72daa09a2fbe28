import manifest from "../package.json" with { type: "json" };
import { compileCommand } from "./compile.ts";

/**
 * Builds the executable `dist/loom`. With a target such as `bun-linux-arm64` as its argument, it builds
 * `dist/loom-linux-arm64` for that platform.
 */
const pinned = manifest.packageManager.replace("bun@", "");
if (Bun.version !== pinned) {
  console.error(
    `build: this is Bun ${Bun.version}, but package.json requires ${pinned}; run: npx --yes bun@${pinned} run build`,
  );
  process.exit(1);
}
const target = process.argv[2];
const outfile = target === undefined ? "dist/loom" : `dist/loom-${target.replace("bun-", "")}`;
const root = new URL("..", import.meta.url).pathname;
const result = Bun.spawnSync(compileCommand(outfile, target), {
  cwd: root,
  stdout: "inherit",
  stderr: "inherit",
});
if (!result.success) process.exit(1);
console.error(`build: ${outfile}, ${(Bun.file(`${root}/${outfile}`).size / 1e6).toFixed(0)} MB`);
