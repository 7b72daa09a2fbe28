import { clientNetwork } from "./client-network.ts";

export interface FailedAttempts {
  /**
   * Counts one more wrong token of a client, and resolves when it may be told so: later with each one.
   * @returns undefined, or at once the seconds to try again after, where too many of its answers wait already
   */
  slowDown(client: string | undefined): Promise<number | undefined>;
}

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
 * Only answers to wrong tokens wait, so nobody is locked out: whoever has the right one never gets here. That they
 * wait keeps a guesser from learning many answers on few connections, and fills no memory.
 */
export function createFailedAttempts(options: FailedAttemptsOptions = {}): FailedAttempts {
  const { now = () => performance.now(), sleep = Bun.sleep } = options;
  /** In the order of their last failure. */
  const clients = new Map<string, Client>();
  let waiting = 0;

  function noteFailure(network: string): Client {
    const known = clients.get(network);
    const isRemembered = known !== undefined && now() - known.lastAt < forgottenAfterMs;
    const client = isRemembered ? known : { failures: 0, lastAt: 0, waiting: 0 };
    client.failures++;
    client.lastAt = now();
    clients.delete(network);
    if (clients.size >= maxClients) {
      const oldest = clients.keys().next();
      if (!oldest.done) clients.delete(oldest.value);
    }
    clients.set(network, client);
    return client;
  }

  return {
    async slowDown(address) {
      const client = noteFailure(clientNetwork(address));
      const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (client.failures - 1));
      if (client.waiting >= maxWaitingPerClient || waiting >= maxWaiting) return Math.ceil(delayMs / 1000);
      client.waiting++;
      waiting++;
      await sleep(delayMs);
      client.waiting--;
      waiting--;
      return undefined;
    },
  };
}
