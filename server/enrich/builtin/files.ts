import { readFile } from "node:fs/promises";
import { join } from "node:path";

const buildScript = join(import.meta.dir, "../../../scripts/builtin-databases.ts");

/**
 * Reads a database that the executable carries. If Loom runs from its sources, the database is in node_modules/.cache, and a
 * script makes it there at first use.
 *
 * @throws Error if there is no such database
 */
export async function readBuiltinFile(name: "country" | "asn"): Promise<Buffer> {
  // Bun adds a hash to the names of the files that it embeds.
  const embedded = Bun.embeddedFiles.find((file) => (file as File).name.startsWith(`builtin-${name}-`));
  if (embedded !== undefined) return Buffer.from(await embedded.arrayBuffer());
  if (buildScript.startsWith("/$bunfs/"))
    throw new Error("this executable does not contain it: build it with bun run build");
  return readFile((await pathsFromSources())[name]);
}

async function pathsFromSources(): Promise<Readonly<Record<"country" | "asn", string>>> {
  const script = Bun.spawn([process.execPath, buildScript], { stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([
    new Response(script.stdout).text(),
    new Response(script.stderr).text(),
  ]);
  if ((await script.exited) !== 0) throw new Error(/^error: (.*)$/m.exec(errors)?.[1] ?? errors.trim());
  return JSON.parse(output);
}
