import type { DnsConfig } from "../config/config.ts";
import { ipAddressText, isIpv4, parseIpAddress } from "../ip-address.ts";
import type { Log } from "../telemetry/log.ts";
import { TokenBucket } from "../token-bucket.ts";
import { createExpiringCache, type ExpiringCache } from "./expiring-cache.ts";
import { ResolverHealth } from "./resolver-health.ts";
import { createDnsClient, type DnsClient, type DnsOutcome } from "./reverse-dns-client.ts";
import { ptrName, type RecordType, recordTypes } from "./reverse-dns-message.ts";

/** Names and failures in the cache. Filled with the longest names, it takes about 30 MB. */
const defaultMaxCacheEntries = 65_536;
/** Each open question has a socket. */
const defaultMaxInFlight = 256;
const defaultQuestionTimeoutMs = 2000;

export interface ReverseDnsOptions extends Omit<DnsConfig, "enabled"> {
  /** Gets a line when the resolver goes away and when it is back. */
  readonly log?: Pick<Log, "info" | "warn">;
  /** A monotonic clock in milliseconds, for lifetimes and rates. */
  readonly now?: () => number;
  readonly maxCacheEntries?: number;
  readonly maxInFlight?: number;
  readonly questionTimeoutMs?: number;
  /** Whether the addresses of a name are asked for too. By default those of no name are. */
  readonly needsConfirmation?: (name: string) => boolean;
}

interface CachedName {
  readonly name: string;
  /** Whether the name has the address. */
  readonly isConfirmed: boolean;
}

/** Totals since the start. */
export interface ReverseDnsCounts {
  /** Questions for names, by their outcome. */
  readonly questions: {
    found: number;
    /** The resolver says that the address has no name. */
    notFound: number;
    /** SERVFAIL, REFUSED, a malformed answer, or no name that is a hostname. */
    failed: number;
    timedOut: number;
    /** The resolver's machine refused the packet, or there is no route to it. */
    unreachable: number;
  };
  /** Questions for the addresses of a name, by their outcome. */
  readonly confirmations: {
    confirmed: number;
    /** The name does not have the address: somebody else's name is in its PTR record, or the name does not exist. */
    refuted: number;
    /** No usable answer. */
    unanswered: number;
  };
  /** Addresses for which no question was sent, by reason. */
  readonly unasked: {
    cached: number;
    /** The rate is over max_qps or too many questions are open; a later batch may ask. */
    overRate: number;
    /** The resolver does not answer at present. */
    resolverAway: number;
  };
}

/**
 * Finds names for addresses in PTR records. There is one open question per address, and at most `maxQps` questions are
 * sent per second (the same number may be sent at once). Names and all kinds of failure, including timeouts, are
 * remembered for `cacheTtlSeconds`.
 *
 * The owner of an address chooses its PTR record and can write any name there. A name is confirmed if its A or AAAA
 * records, which only the owner of its domain can write, contain the address.
 */
export class ReverseDns {
  readonly counts: ReverseDnsCounts = {
    questions: { found: 0, notFound: 0, failed: 0, timedOut: 0, unreachable: 0 },
    confirmations: { confirmed: 0, refuted: 0, unanswered: 0 },
    unasked: { cached: 0, overRate: 0, resolverAway: 0 },
  };
  readonly #maxWaitMs: number;
  readonly #maxInFlight: number;
  readonly #needsConfirmation: (name: string) => boolean;
  readonly #client: DnsClient;
  readonly #health: ResolverHealth;
  readonly #allowance: TokenBucket;
  /** null: the question was answered, and there is no name to add. */
  readonly #cache: ExpiringCache<CachedName | null>;
  readonly #inFlight = new Map<string, Promise<void>>();

  /** @throws Error if `resolverAddr` is not "host:port" */
  constructor(options: ReverseDnsOptions) {
    const { resolverAddr, log, now = () => performance.now() } = options;
    this.#maxWaitMs = options.maxWaitMs;
    this.#maxInFlight = options.maxInFlight ?? defaultMaxInFlight;
    this.#needsConfirmation = options.needsConfirmation ?? (() => false);
    this.#client = createDnsClient(resolverAddr, options.questionTimeoutMs ?? defaultQuestionTimeoutMs);
    this.#health = new ResolverHealth(resolverAddr ?? "the system's", log, now);
    this.#allowance = new TokenBucket(options.maxQps, now);
    this.#cache = createExpiringCache<CachedName | null>({
      ttlMs: options.cacheTtlSeconds * 1000,
      maxEntries: options.maxCacheEntries ?? defaultMaxCacheEntries,
      now,
    });
  }

  /**
   * The cached name of an address, as the resolver spelled it, without the trailing dot: 1 to 253 letters, digits, `-`,
   * `_` and `.`. Undefined if the address has no name, or none is cached.
   */
  known(address: string): string | undefined {
    return this.#cache.get(address)?.name;
  }

  /** As known, but undefined unless the name needed a confirmation and has it. */
  confirmedName(address: string): string | undefined {
    const cached = this.#cache.get(address);
    return cached?.isConfirmed ? cached.name : undefined;
  }

  /**
   * Asks for the names of all addresses that are not in the cache and for their confirmation, and waits for the answers,
   * at most `maxWaitMs` and not at all while the resolver is away. A later answer still fills the cache. Never rejects.
   */
  async resolve(addresses: Iterable<string>): Promise<void> {
    const questions: Promise<void>[] = [];
    for (const address of new Set(addresses)) {
      // A name whose confirmation is not answered yet is in both.
      if (this.#cache.get(address) !== undefined && !this.#inFlight.has(address)) {
        this.counts.unasked.cached++;
        continue;
      }
      const asked = this.#askAbout(address);
      if (asked !== undefined) questions.push(asked);
    }
    if (questions.length > 0 && this.#maxWaitMs > 0 && !this.#health.isAway)
      await waitForAll(questions, this.#maxWaitMs);
  }

  /** Ends open questions, and with them every `resolve` that waits. No question is sent afterwards. */
  close(): void {
    this.#client.close();
  }

  /** The open questions about an address, or a new one; undefined if none may be sent now. */
  #askAbout(address: string): Promise<void> | undefined {
    const open = this.#inFlight.get(address);
    if (open !== undefined) return open;
    const name = ptrName(address);
    if (name === undefined) return undefined;
    if (!this.#health.mayAsk) {
      this.counts.unasked.resolverAway++;
      return undefined;
    }
    if (this.#inFlight.size >= this.#maxInFlight || !this.#allowance.tryTake()) {
      this.counts.unasked.overRate++;
      return undefined;
    }
    const asked = this.#learnName(address, name).then(() => {
      this.#inFlight.delete(address);
    });
    this.#inFlight.set(address, asked);
    return asked;
  }

  async #learnName(address: string, question: string): Promise<void> {
    const outcome = await this.#ask(question, recordTypes.ptr);
    if (outcome.kind === "closed") return;
    this.counts.questions[outcome.kind]++;
    const name = outcome.kind === "found" ? outcome.values[0] : undefined;
    this.#cache.set(address, name === undefined ? null : { name, isConfirmed: false });
    if (name !== undefined && this.#needsConfirmation(name)) await this.#confirm(address, name);
  }

  async #confirm(address: string, name: string): Promise<void> {
    const parsed = parseIpAddress(address);
    if (!parsed) return;
    // Over the rate it is asked too, at the expense of later questions: the name would count as unconfirmed until it expires.
    this.#allowance.charge(1);
    const outcome = await this.#ask(name, isIpv4(parsed) ? recordTypes.a : recordTypes.aaaa);
    if (outcome.kind === "closed") return;
    const isConfirmed = outcome.kind === "found" && outcome.values.includes(ipAddressText(parsed));
    if (isConfirmed) this.#cache.set(address, { name, isConfirmed });
    const isRefuted = outcome.kind === "found" || outcome.kind === "notFound";
    this.counts.confirmations[isConfirmed ? "confirmed" : isRefuted ? "refuted" : "unanswered"]++;
  }

  async #ask(name: string, type: RecordType): Promise<DnsOutcome> {
    this.#health.noteAsked();
    const outcome = await this.#client.ask(name, type);
    if (outcome.kind === "timedOut" || outcome.kind === "unreachable") this.#health.noteUnanswered();
    else if (outcome.kind !== "closed") this.#health.noteAnswered();
    return outcome;
  }
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
