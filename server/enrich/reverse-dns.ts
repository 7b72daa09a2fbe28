import type { DnsConfig } from "../config/config.ts";
import type { Log } from "../telemetry/log.ts";
import { TokenBucket } from "../token-bucket.ts";
import { createExpiringCache } from "./expiring-cache.ts";
import { createPtrClient, type PtrOutcome } from "./reverse-dns-client.ts";
import { ptrName } from "./reverse-dns-message.ts";

/** Names and failures remembered; full of the longest names they take about 30 MB. */
const defaultMaxCacheEntries = 65_536;
/** Each is an open socket. */
const defaultMaxInFlight = 256;
const defaultQuestionTimeoutMs = 2000;
/** So many questions in a row without an answer, and the resolver counts as away. */
export const awayAfterUnanswered = 8;
/** How often a resolver that is away is asked, to see whether it is back. */
export const probeIntervalMs = 1000;

export interface ReverseDnsOptions extends Omit<DnsConfig, "isEnabled"> {
  /** Told when the resolver goes away and when it is back. */
  readonly log?: Pick<Log, "info" | "warn">;
  /** A clock in milliseconds that does not run backwards; for lifetimes and rates. */
  readonly now?: () => number;
  readonly maxCacheEntries?: number;
  readonly maxInFlight?: number;
  readonly questionTimeoutMs?: number;
}

/** Totals since the start. */
export interface ReverseDnsCounts {
  /** Questions by how they ended. */
  readonly questions: {
    found: number;
    /** The resolver says that the address has no name. */
    notFound: number;
    /** SERVFAIL, REFUSED, a malformed answer, or names that are no hostnames. */
    failed: number;
    timedOut: number;
    /** The resolver's machine refused the packet, or there is no way to it. */
    unreachable: number;
  };
  /** Addresses about which none was asked. */
  readonly unasked: {
    cached: number;
    /** Over max_qps or with too many questions open; a later batch may ask. */
    overRate: number;
    /** The resolver does not answer at present. */
    resolverAway: number;
  };
}

export interface ReverseDns {
  /**
   * The name known for an address, as the resolver spelt it, without the trailing dot: 1 to 253 letters, digits, `-`, `_`
   * and `.`. Undefined when it has none, or none is known yet. Reads the cache only.
   */
  known(address: string): string | undefined;
  /**
   * Asks for the addresses that are not in the cache, all at once, and waits for the answers, but for `maxWaitMs` at
   * most, and not at all while the resolver is away. What is answered later still fills the cache. Never rejects.
   */
  resolve(addresses: Iterable<string>): Promise<void>;
  readonly counts: ReverseDnsCounts;
  /** Ends open questions, and with them every `resolve` that waits. Nothing is asked afterwards. */
  close(): void;
}

/**
 * Names for addresses, from PTR records. One question an address at a time, at most `maxQps` a second (as many at once);
 * names and failures of every kind, timeouts too, are remembered for `cacheTtlSeconds`. Throws when `resolverAddr` is not
 * "host:port".
 */
export function createReverseDns(options: ReverseDnsOptions): ReverseDns {
  const { resolverAddr, cacheTtlSeconds, maxQps, maxWaitMs, log } = options;
  const now = options.now ?? (() => performance.now());
  const maxInFlight = options.maxInFlight ?? defaultMaxInFlight;
  const client = createPtrClient(resolverAddr, options.questionTimeoutMs ?? defaultQuestionTimeoutMs);
  const resolverName = resolverAddr ?? "the system's";
  // null: asked, and there is no name to show.
  const cache = createExpiringCache<string | null>({
    ttlMs: cacheTtlSeconds * 1000,
    maxEntries: options.maxCacheEntries ?? defaultMaxCacheEntries,
    now,
  });
  const inFlight = new Map<string, Promise<void>>();
  const allowance = new TokenBucket(maxQps, now);
  const counts: ReverseDnsCounts = {
    questions: { found: 0, notFound: 0, failed: 0, timedOut: 0, unreachable: 0 },
    unasked: { cached: 0, overRate: 0, resolverAway: 0 },
  };
  let unansweredInARow = 0;
  let isAway = false;
  let nextProbeAtMs = 0;

  /** The question under way about an address, or a new one; undefined when none may be asked now. */
  function askAbout(address: string): Promise<void> | undefined {
    const open = inFlight.get(address);
    if (open !== undefined) return open;
    const name = ptrName(address);
    if (name === undefined) return undefined;
    if (isAway && now() < nextProbeAtMs) {
      counts.unasked.resolverAway++;
      return undefined;
    }
    if (inFlight.size >= maxInFlight || !allowance.tryTake()) {
      counts.unasked.overRate++;
      return undefined;
    }
    nextProbeAtMs = now() + probeIntervalMs;
    const asked = client.ask(name).then((outcome) => {
      inFlight.delete(address);
      settle(address, outcome);
    });
    inFlight.set(address, asked);
    return asked;
  }

  function settle(address: string, outcome: PtrOutcome): void {
    if (outcome.kind === "closed") return;
    counts.questions[outcome.kind]++;
    cache.set(address, outcome.kind === "found" ? outcome.name : null);
    if (outcome.kind === "timedOut" || outcome.kind === "unreachable") noteUnanswered();
    else noteAnswered();
  }

  function noteUnanswered(): void {
    unansweredInARow++;
    if (isAway || unansweredInARow < awayAfterUnanswered) return;
    isAway = true;
    log?.warn("DNS resolver does not answer; events go on without source.domain until it does", {
      resolver: resolverName,
      unanswered: unansweredInARow,
    });
  }

  function noteAnswered(): void {
    unansweredInARow = 0;
    if (!isAway) return;
    isAway = false;
    log?.info("DNS resolver answers again", { resolver: resolverName });
  }

  return {
    counts,
    known: (address) => cache.get(address) ?? undefined,
    async resolve(addresses) {
      const questions: Promise<void>[] = [];
      for (const address of new Set(addresses)) {
        if (cache.get(address) !== undefined) {
          counts.unasked.cached++;
          continue;
        }
        const asked = askAbout(address);
        if (asked !== undefined) questions.push(asked);
      }
      if (questions.length > 0 && maxWaitMs > 0 && !isAway) await waitForAll(questions, maxWaitMs);
    },
    close: () => client.close(),
  };
}

function waitForAll(questions: readonly Promise<void>[], maxWaitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, maxWaitMs);
    void Promise.all(questions).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
