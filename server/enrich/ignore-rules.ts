import type { IgnoreRuleConfig } from "../config/config.ts";
import { parseIpAddress } from "../ip-address.ts";
import { NetworkSet } from "../network.ts";
import type { Ledger, RuleTally } from "../telemetry/ledger.ts";

/** A rule for the events from some networks. */
export interface IgnoreRule extends Pick<IgnoreRuleConfig, "name" | "networks" | "action" | "tag"> {
  /** Counts the events of batches that were kept. */
  readonly tally: RuleTally;
}

interface CompiledRule {
  readonly rule: IgnoreRule;
  readonly addresses: NetworkSet;
}

/** The `[[ignore]]` rules. A reload replaces them while batches are enriched. */
export class IgnoreRules {
  readonly #ledger: Pick<Ledger, "rule">;
  #compiled: readonly CompiledRule[] = [];
  #generation = 0;

  constructor(rules: readonly IgnoreRuleConfig[], ledger: Pick<Ledger, "rule">) {
    this.#ledger = ledger;
    this.replace(rules);
  }

  /** Changes whenever the rules are replaced: an answer of `ruleFor` belongs to the generation in which it was given. */
  get generation(): number {
    return this.#generation;
  }

  /** In the order in which they are examined. */
  get rules(): readonly IgnoreRule[] {
    return this.#compiled.map(({ rule }) => rule);
  }

  replace(rules: readonly IgnoreRuleConfig[]): void {
    this.#generation++;
    this.#compiled = rules.map((rule) => ({
      rule: { ...rule, tally: this.#ledger.rule(rule.name, rule.action) },
      addresses: new NetworkSet(rule.networks),
    }));
  }

  /**
   * Takes logarithmic time for each rule, so that callers cache the answer.
   * @param text as sensors write an address; see parseIpAddress
   * @returns the first rule that has the address; undefined: there is none, or the text is malformed
   */
  ruleFor(text: string): IgnoreRule | undefined {
    if (this.#compiled.length === 0) return undefined;
    const address = parseIpAddress(text);
    return address && this.#compiled.find(({ addresses }) => addresses.contains(address))?.rule;
  }
}
