import { dlopen, ptr } from "bun:ffi";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/*
 * Bun can't put another certificate into a running server, and stopping one closes the connections that sensors keep
 * open: a batch on its way at that moment would be lost. So a second server is started on the same port (SO_REUSEPORT),
 * and the kernel is told to give it every new connection. Closing the first one's listening socket instead would reset
 * the connections that wait in its queue or are in the middle of their handshake.
 */

/** <asm-generic/socket.h>; the same on x86 and ARM. */
const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
/** <linux/bpf_common.h>: return the constant that follows. */
const BPF_RET_K = 0x06;
/** glibc's name and musl's. */
const cLibraries = ["libc.so.6", "libc.so"];

/**
 * Gives every new connection to one of this process's sockets that share a TCP port, counted from 0 in the order in
 * which they began to listen. Linux 4.5 or newer: socket(7), SO_ATTACH_REUSEPORT_CBPF.
 * @returns false where that can't be done.
 */
export function giveConnectionsTo(index: number, port: number): boolean {
  const [descriptor] = listeningDescriptors(port);
  const setsockopt = findSetsockopt();
  if (descriptor === undefined || !setsockopt) return false;
  // struct sock_fprog { u16 len; struct sock_filter *filter }, struct sock_filter { u16 code; u8 jt, jf; u32 k }:
  // in one piece of memory, so that none of it is collected before the call.
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1, true);
  view.setBigUint64(8, BigInt(ptr(bytes) + 16), true);
  view.setUint16(16, BPF_RET_K, true);
  view.setUint32(20, index, true);
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, bytes, 16) === 0;
}

function findSetsockopt() {
  for (const library of cLibraries) {
    try {
      return dlopen(library, { setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" } })
        .symbols.setsockopt;
    } catch {
      // The other name, or no Linux.
    }
  }
}

/** This process's descriptors that listen on a TCP port. Empty where there is no /proc. */
function listeningDescriptors(port: number): number[] {
  const inodes = new Set(
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"].flatMap((table) => inodesOf(table, port)),
  );
  return readList("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => inodes.has(linkOf(`/proc/self/fd/${descriptor}`)));
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
