/**
 * Runs a command to its end.
 * @throws Error with its status and the end of its output
 */
export function run(command: string[]): void {
  const failed = (why: string) => new Error(`"${command.join(" ")}" failed: ${why}`);
  if (Bun.which(command[0] ?? "") === null) throw failed("no such command");
  // RUNLEVEL=1 keeps Debian's invoke-rc.d from starting an installed server as a service of the machine.
  const { success, exitCode, stdout, stderr } = Bun.spawnSync(command, {
    stdin: "ignore",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  });
  if (!success) throw failed(`status ${exitCode}\n${`${stdout}${stderr}`.trim().slice(-2000)}`);
}
