import { createDescriptorWriter, type DescriptorWriter } from "../descriptor-writer.ts";

/** How often the progress on a terminal is written. */
const intervalMs = 100;

export interface ProgressLineOptions {
  /** What is done: "downloading …". */
  readonly title: string;
  /** Whether the title is written once if stderr is not a terminal. */
  readonly isTitleLogged: boolean;
  readonly writer?: DescriptorWriter;
}

/** A line on stderr that is written again as work progresses, if stderr is a terminal. */
export class ProgressLine {
  readonly #options: ProgressLineOptions;
  readonly #writer: DescriptorWriter;
  readonly #isTerminal = process.stderr.isTTY === true;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProgressLineOptions) {
    this.#options = options;
    this.#writer = options.writer ?? createDescriptorWriter(2);
  }

  /** @param text how far it is: "12.5 MB, 40 %". It is not written if the last one was written a moment ago */
  show(text: () => string): void {
    const { title, isTitleLogged } = this.#options;
    const isFirst = this.#shownAt === Number.NEGATIVE_INFINITY;
    if (performance.now() - this.#shownAt < intervalMs) return;
    this.#shownAt = performance.now();
    if (this.#isTerminal) this.#writeLine(`${title}: ${text()}`);
    else if (isFirst && isTitleLogged) this.#write(`${title}\n`);
  }

  /** Writes a line that stays, also if stderr is not a terminal. */
  print(line: string): void {
    if (this.#isTerminal) this.#writeLine("");
    this.#write(`${line}\n`);
  }

  async clear(): Promise<void> {
    if (this.#isTerminal && this.#shownAt > Number.NEGATIVE_INFINITY) this.#writeLine("");
    await this.#writer.idle();
  }

  /** Carriage return, the text, and "erase to the end of the line". */
  #writeLine(text: string): void {
    this.#write(`\r${text}\u001b[K`);
  }

  #write(text: string): void {
    // If stderr is closed, there is nowhere left to report it.
    this.#writer.write(Buffer.from(text)).catch(() => {});
  }
}
