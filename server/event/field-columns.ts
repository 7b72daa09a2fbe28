import { addressKey } from "../address-key.ts";
import type { ColumnValues } from "./columns.ts";
import type { EventFields } from "./event-fields.ts";

/** The columns that are read from the payload, not from the fields. */
export const payloadColumnNames = ["payload", "user", "password"] as const;

export type PayloadValues = Pick<ColumnValues, (typeof payloadColumnNames)[number]>;

/**
 * The values of columnValuesOf (columns.ts), each computed when it is read: the live tail reads few of them, for each viewer.
 */
export class FieldColumns implements ColumnValues {
  readonly #fields: EventFields;
  readonly #payloadValues: () => PayloadValues;

  /** @param payloadValues called each time one of them is read */
  constructor(
    readonly sensor: string,
    fields: EventFields,
    payloadValues: () => PayloadValues,
  ) {
    this.#fields = fields;
    this.#payloadValues = payloadValues;
  }

  get ip() {
    const { address } = this.#fields;
    return address === undefined ? undefined : addressKey(address);
  }
  get asn() {
    return this.#fields.asNumber;
  }
  get country() {
    return this.#fields.countryIsoCode;
  }
  get port() {
    return this.#fields.port;
  }
  get path() {
    return this.#fields.path;
  }
  get user_agent() {
    return this.#fields.userAgent;
  }
  get ja4() {
    return this.#fields.ja4;
  }
  get ja4h() {
    return this.#fields.ja4h;
  }
  get hassh() {
    return this.#fields.hassh;
  }
  get community_id() {
    return this.#fields.communityId;
  }
  get tags() {
    return this.#fields.tags;
  }
  get payload() {
    return this.#payloadValues().payload;
  }
  get user() {
    return this.#payloadValues().user;
  }
  get password() {
    return this.#payloadValues().password;
  }
}
