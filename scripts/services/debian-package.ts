import { run } from "./command.ts";

/**
 * Finds a program, and installs the Debian package that contains it if it is missing.
 * @returns the path of the program
 * @throws Error that says which step failed
 */
export function installedProgram(name: string, packageName = name): string {
  const found = findProgram(name);
  if (found !== null) return found;
  installPackages(packageName);
  const path = findProgram(name);
  if (path === null) throw new Error(`${packageName} was installed, but ${name} was not found`);
  return path;
}

/**
 * Installs packages of Debian; needs root.
 * @throws Error with what apt-get wrote. It also fails if other packages would have to be removed, such as another syslog
 *   daemon for syslog-ng.
 */
export function installPackages(...names: string[]): void {
  const aptGet = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300"];
  run([...aptGet, "update"]);
  run([...aptGet, "install", "--no-install-recommends", "--no-remove", ...names]);
}

/** Debian has servers in /usr/sbin, which is not on the PATH of other users than root. */
function findProgram(name: string): string | null {
  return Bun.which(name, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` });
}
