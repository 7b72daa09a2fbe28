import type { FileLayer } from "./file-layer.ts";
import type { Reserve } from "./reserve.ts";

export interface DiskSpaceOptions {
  readonly dir: string;
  readonly files: Pick<FileLayer, "space">;
  readonly reserve: Pick<Reserve, "make" | "missingBytes">;
  /** The bytes of all segments. */
  readonly sizeBytes: () => number;
  /** Called after each look at the disk. */
  readonly onExamined: () => void;
}

const intervalMs = 1_000;
/** What used the reserve gets this time to use the room, before the reserve is made again. */
const ticksBeforeReserve = 5;
/** Room for what is not counted one by one: blocks, directories, dead letters and `damaged/`. */
const maxMarginBytes = 1024 * 1024;
const marginShare = 1 / 32;

/** How much the segments may take up on their disk. A timer looks at the disk, so that appending costs nothing. */
export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isExamining = false;
  #ticksWithoutReserve = 0;
  #capacityBytes = Number.POSITIVE_INFINITY;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  /** The size that all segments together may have, so that delivery has the room that it needs to continue. */
  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Looks at the disk, and once a second from then on. */
  async start(): Promise<void> {
    await this.examine();
    this.#timer = setInterval(() => void this.#tick(), intervalMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the disk now. An error changes nothing: a disk that fails is noticed by the next write. */
  async examine(): Promise<void> {
    const { dir, files, reserve, sizeBytes, onExamined } = this.#options;
    // Before the look at the disk: what is appended meanwhile then counts twice, not never.
    const size = sizeBytes();
    const space = await files.space(dir).catch(() => undefined);
    // Some file systems do not know.
    if (!space || space.totalBytes === 0) return;
    const margin = Math.min(maxMarginBytes, space.totalBytes * marginShare);
    this.#capacityBytes = Math.max(0, size + space.availableBytes - margin - reserve.missingBytes);
    if (reserve.missingBytes > 0 && this.#ticksWithoutReserve === 0) {
      if (space.availableBytes >= reserve.missingBytes + margin) await reserve.make();
    }
    onExamined();
  }

  async #tick(): Promise<void> {
    // A disk that hangs must not collect calls.
    if (this.#isExamining) return;
    this.#isExamining = true;
    const isMissing = this.#options.reserve.missingBytes > 0;
    this.#ticksWithoutReserve = isMissing ? (this.#ticksWithoutReserve + 1) % ticksBeforeReserve : 0;
    await this.examine();
    this.#isExamining = false;
  }
}
