import { ptr } from "bun:ffi";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { cFunctions } from "../c-library.ts";

/*
 * Bun cannot change the certificate of a running server. Stopping the server would close the connections that sensors
 * keep open, and a batch on its way at that moment would be lost. So Loom starts a second server on the same port
 * (SO_REUSEPORT) and tells the kernel to give it every new connection. Closing the listening socket of the first server
 * at once would reset the connections that are waiting in its queue or are in their handshake; see SharedPort.
 */

/** <asm-generic/socket.h>; the same on x86 and ARM. */
const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
/** <linux/bpf_common.h>: returns the constant that follows. */
const BPF_RET_K = 0x06;

/**
 * Makes the kernel give every new connection on a TCP port to one of this process's sockets that share the port. Needs
 * Linux 4.5 or newer; see socket(7), SO_ATTACH_REUSEPORT_CBPF.
 * @param index of the socket, counted from 0 in the order in which they began to listen
 * @returns false if the system does not support it
 */
export function giveConnectionsTo(index: number, port: number): boolean {
  const [descriptor] = listeningDescriptors(port);
  const c = cFunctions({ setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" } });
  if (descriptor === undefined || !c) return false;
  // struct sock_fprog { u16 len; struct sock_filter *filter }, struct sock_filter { u16 code; u8 jt, jf; u32 k }.
  // Both are in one buffer, so that neither is garbage-collected before the call.
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1, true);
  view.setBigUint64(8, BigInt(ptr(bytes) + 16), true);
  view.setUint16(16, BPF_RET_K, true);
  view.setUint32(20, index, true);
  return c.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, bytes, 16) === 0;
}

/** The descriptors of this process that listen on a TCP port. Empty if there is no /proc. */
function listeningDescriptors(port: number): number[] {
  const inodes = new Set(
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"].flatMap((table) => inodesOf(table, port)),
  );
  return readList("/proc/self/fd")
    .map(Number)
    .filter((descriptor) => inodes.has(linkOf(`/proc/self/fd/${descriptor}`)));
}

/** The links of the sockets in state LISTEN (0A) on a port; see proc(5), /proc/net/tcp. */
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
    return ""; // There is no /proc, or no IPv6.
  }
}

function readList(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // There is no /proc.
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // The descriptor was closed in the meantime.
  }
}
