import { makeBuiltinDatabases } from "./builtin-databases.ts";

/** Files that workers start with (server/worker-file.ts). */
const workerFiles = [
  "server/monitoring/saved-state/state-worker.ts",
  "server/store/writer-worker.ts",
  "server/store/query-worker.ts",
];

/**
 * The command that compiles Loom into one executable, to be run in the root of the repository. The built-in databases are made
 * first.
 * @param target such as "bun-linux-arm64"; undefined: this machine
 */
export function compileCommand(outfile: string, target?: string): string[] {
  const { country, asn } = makeBuiltinDatabases();
  return [
    process.execPath,
    "build",
    "--compile",
    "--minify",
    ...(target === undefined ? [] : [`--target=${target}`]),
    `--outfile=${outfile}`,
    "server/cli/loom.ts",
    ...workerFiles,
    country,
    asn,
  ];
}
