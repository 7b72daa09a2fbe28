/** The shortest step of time. The other lengths are multiples of it. */
export const shortStepMs = 10_000;

/** The lengths of steps, and how many steps of each are shown. Each length is a multiple of the one before. */
export const stepLevels = [
  { name: "10s", stepMs: shortStepMs, steps: 360 },
  { name: "5m", stepMs: 300_000, steps: 288 },
  { name: "1h", stepMs: 3_600_000, steps: 31 * 24 },
  { name: "1d", stepMs: 86_400_000, steps: 366 },
] as const;

export type StepLevel = (typeof stepLevels)[number];

const maxUint32 = 0xffff_ffff;

/** What was counted in each of the last steps of one length. Steps are numbered from the beginning of the chronicle. */
export class StepRing {
  readonly #perStep: number;
  readonly #slots: Uint32Array;

  constructor({ stepMs, steps }: StepLevel) {
    this.#perStep = stepMs / shortStepMs;
    // One slot more than is shown, because a time that ends now begins within a step.
    this.#slots = new Uint32Array(steps + 1);
  }

  get size(): number {
    return this.#slots.length;
  }

  /** The number of the step that has this short step in it. */
  stepOf(shortStep: number): number {
    return Math.floor(shortStep / this.#perStep);
  }

  /** Clears the steps that have begun since the short step `last` was the present one. */
  advance(last: number, present: number): void {
    const to = this.stepOf(present);
    for (let step = Math.max(this.stepOf(last) + 1, to - this.size + 1); step <= to; step++)
      this.#slots[step % this.size] = 0;
  }

  /** Whether a step is one of the last `size` ones at a short step. */
  has(step: number, presentShort: number): boolean {
    const present = this.stepOf(presentShort);
    return step <= present && step > present - this.size;
  }

  /**
   * Adds the steps of a ring with shorter steps to those that they are in.
   * @param first the first step that is added to
   */
  addSteps(shorter: StepRing | undefined, presentShort: number, first = 0): void {
    if (!shorter) return;
    const ratio = this.#perStep / shorter.#perStep;
    const present = shorter.stepOf(presentShort);
    for (let step = Math.max(0, present - shorter.size + 1); step <= present; step++)
      if (Math.floor(step / ratio) >= first) this.add(Math.floor(step / ratio), shorter.at(step));
  }

  isEmpty(): boolean {
    return this.#slots.every((amount) => amount === 0);
  }

  /** Adds to a step, which must be one of the last `size` steps. A step has at most 4,294,967,295. */
  add(step: number, amount: number): void {
    const slot = step % this.size;
    this.#slots[slot] = Math.min((this.#slots[slot] ?? 0) + amount, maxUint32);
  }

  at(step: number): number {
    return this.#slots[step % this.size] ?? 0;
  }
}
