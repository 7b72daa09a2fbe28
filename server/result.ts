/**
 * A value, or the reason why there is none. It is for input that a client or another system may get wrong; a defect or
 * a failed system call is an error that is thrown. `kind` tells the two apart.
 */
export type Result<Value, Refusal> = Accepted<Value> | Refused<Refusal>;

export interface Accepted<Value> {
  readonly kind: "accepted";
  readonly value: Value;
}

export interface Refused<Refusal> {
  readonly kind: "refused";
  readonly refusal: Refusal;
}

export function accepted<Value>(value: Value): Accepted<Value> {
  return { kind: "accepted", value };
}

export function refused<Refusal>(refusal: Refusal): Refused<Refusal> {
  return { kind: "refused", refusal };
}
