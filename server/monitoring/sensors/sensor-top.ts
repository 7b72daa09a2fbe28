import type { EventFields } from "../../event/event-fields.ts";
import { CompactCounts, type SavedNumbers } from "./compact-counts.ts";

/** The state of a SensorTop as it is saved. */
export interface SavedTop {
  readonly ports: SavedNumbers;
  readonly countries: SavedNumbers;
  readonly networks: SavedNumbers;
}

/** Counts of the ports, countries and networks in a sensor's events. */
export class SensorTop {
  readonly ports = new CompactCounts();
  readonly countries = new CompactCounts();
  readonly networks = new CompactCounts();

  add({ port, countryIsoCode, asNumber }: EventFields): void {
    this.ports.add(port);
    this.countries.add(countryNumber(countryIsoCode));
    this.networks.add(asNumber);
  }

  merge(top: SensorTop): void {
    this.ports.merge(top.ports);
    this.countries.merge(top.countries);
    this.networks.merge(top.networks);
  }

  save(): SavedTop {
    return {
      ports: this.ports.save(),
      countries: this.countries.save(),
      networks: this.networks.save(),
    };
  }

  /** Adds what was saved. */
  restore({ ports, countries, networks }: SavedTop): void {
    this.ports.restore(ports);
    this.countries.restore(countries);
    this.networks.restore(networks);
  }
}

/** A country code of two letters as a number, which takes less memory. */
export function countryNumber(code: string | undefined): number | undefined {
  return code === undefined ? undefined : code.charCodeAt(0) * 256 + code.charCodeAt(1);
}

export function countryCode(number: number): string {
  return String.fromCharCode(number >> 8, number & 0xff);
}
