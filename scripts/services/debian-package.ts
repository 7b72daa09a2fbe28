/**
 * Finds a program, and installs the Debian package that contains it if it is missing.
 * @returns the path of the program
 * @throws Error that says which step failed
 */
export function installedProgram(name: string, packageName = name): string {
  return findProgram(name) ?? install(name, packageName);
}

function install(name: string, packageName: string): string {
  run(packageName, ["apt-get", "update", "-qq"]);
  run(packageName, ["apt-get", "install", "-y", "-qq", "--no-install-recommends", packageName]);
  const path = findProgram(name);
  if (path === null) throw new Error(`${packageName} was installed, but ${name} was not found`);
  return path;
}

/** Debian has servers in /usr/sbin, which is not on the PATH of other users than root. */
function findProgram(name: string): string | null {
  return Bun.which(name, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` });
}

function run(packageName: string, command: readonly string[]): void {
  const failed = (why: string) =>
    new Error(`no ${packageName}: "${command.join(" ")}" failed: ${why}`.slice(0, 600));
  if (Bun.which(command[0] ?? "") === null) throw failed("no such command");
  // RUNLEVEL=1 keeps Debian's invoke-rc.d from starting the server as a service of the machine.
  const result = Bun.spawnSync([...command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  });
  if (!result.success) throw failed(result.stderr.toString().trim());
}
