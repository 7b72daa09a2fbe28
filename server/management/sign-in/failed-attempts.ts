import { clientNetwork } from "./client-network.ts";

export interface FailedAttemptsOptions {
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

const firstDelayMs = 250;
const maxDelayMs = 5_000;
const forgottenAfterMs = 15 * 60_000;
const maxClients = 10_000;
const maxWaitingPerClient = 5;
const maxWaiting = 200;

interface Client {
  failures: number;
  lastAt: number;
  waiting: number;
}

/**
 * Delays the answers to wrong tokens. Only they wait: a client with the right token never gets here, so nobody is locked
 * out. The delay limits how many guesses a client can check, and the number of waiting answers is limited too.
 */
export class FailedAttempts {
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;
  /** In the order of their last failure. */
  readonly #clients = new Map<string, Client>();
  #waiting = 0;

  constructor({ now = () => performance.now(), sleep = Bun.sleep }: FailedAttemptsOptions = {}) {
    this.#now = now;
    this.#sleep = sleep;
  }

  /**
   * Counts a wrong token of a client, and resolves when its answer is due: later with each wrong token.
   * @returns undefined; or at once, if too many of its answers wait already, the number of seconds after which it may retry
   */
  async slowDown(address: string | undefined): Promise<number | undefined> {
    const client = this.#noteFailure(clientNetwork(address));
    const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (client.failures - 1));
    if (client.waiting >= maxWaitingPerClient || this.#waiting >= maxWaiting)
      return Math.ceil(delayMs / 1000);
    client.waiting++;
    this.#waiting++;
    await this.#sleep(delayMs);
    client.waiting--;
    this.#waiting--;
    return undefined;
  }

  #noteFailure(network: string): Client {
    const known = this.#clients.get(network);
    const isRemembered = known !== undefined && this.#now() - known.lastAt < forgottenAfterMs;
    const client = isRemembered ? known : { failures: 0, lastAt: 0, waiting: 0 };
    client.failures++;
    client.lastAt = this.#now();
    this.#clients.delete(network);
    if (this.#clients.size >= maxClients) {
      const oldest = this.#clients.keys().next();
      if (!oldest.done) this.#clients.delete(oldest.value);
    }
    this.#clients.set(network, client);
    return client;
  }
}
