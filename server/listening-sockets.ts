import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/*
 * Bun can't put another certificate into a running server, and stopping one closes the connections that sensors keep
 * open: a batch on its way at that moment would be lost. So a second server is started on the same port and the first
 * one's listening socket is closed underneath it; its connections live on. Linux only: /proc tells the descriptors.
 */

/** This process's descriptors that listen on a TCP port. Empty where there is no /proc. */
export function listeningDescriptors(port: number): number[] {
  const inodes = new Set(
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"].flatMap((table) => inodesOf(table, port)),
  );
  return readList("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => inodes.has(linkOf(`/proc/self/fd/${descriptor}`)));
}

/**
 * Closes a listening descriptor that a server still believes in.
 * @returns true when /dev/null took its number, so that the server may be stopped later without closing somebody
 * else's file; otherwise it must be left alone until the process ends.
 */
export function closeUnderneath(descriptor: number): boolean {
  closeSync(descriptor);
  return openSync("/dev/null", "r") === descriptor;
}

/** Links of the sockets in state LISTEN (0A) on a port: proc(5), /proc/net/tcp. */
function inodesOf(table: string, port: number): string[] {
  return readText(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local, , state]) => state === "0A" && Number.parseInt(local?.split(":")[1] ?? "", 16) === port,
    )
    .map((fields) => `socket:[${fields[9]}]`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // no /proc, or no IPv6
  }
}

function readList(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // no /proc
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}
