import type { Connection } from "../http/connection.ts";
import { declaredLength } from "../http/request-body.ts";
import { add, type Ledger, unknownSensorId } from "../telemetry/ledger.ts";
import type { Authenticator } from "./authentication.ts";
import type { EventEstimates } from "./event-estimates.ts";
import {
  type Refusal,
  type RefusedEvents,
  type RefusedRequest,
  refusalResponse,
  statusOfRefusal,
} from "./refusal.ts";

export interface RefuseRequestOptions {
  readonly authenticator: Pick<Authenticator, "ownerOf">;
  readonly ledger: Ledger;
  readonly estimates: Pick<EventEstimates, "estimate">;
  /** Called once for each refused request. */
  readonly onRefused: (refused: RefusedRequest) => void;
}

/** @param sensorId the sensor that the request is counted for, or `unknownSensorId` */
export type RefuseRequest = (
  refusal: Refusal,
  sensorId: string,
  request: Request,
  connection: Connection,
) => Response;

/** Returns a function that counts and reports a refusal, and answers it with the status that it is counted under. */
export function createRefuseRequest(options: RefuseRequestOptions): RefuseRequest {
  const { authenticator, ledger, estimates, onRefused } = options;

  function refusedEvents({ events }: Refusal, sensorId: string, request: Request): RefusedEvents {
    if (events !== undefined) return { count: events, isEstimate: false };
    if (request.method !== "POST") return { count: 0, isEstimate: false };
    return estimates.estimate(sensorId, declaredLength(request));
  }

  return (refusal, sensorId, request, connection) => {
    const { code, detail } = refusal;
    const isKnown = sensorId !== unknownSensorId;
    const events = refusedEvents(refusal, sensorId, request);
    const account = ledger.sensor(sensorId);
    add(account.requestsByStatus, statusOfRefusal[code]);
    add(account.refusedBatches, code);
    if (isKnown && events.count > 0)
      add(events.isEstimate ? account.estimatedRefusedEvents : account.refusedEvents, code, events.count);
    onRefused({
      ...{ reason: code, sensorId, detail, events },
      tokenSensorId: isKnown ? undefined : authenticator.ownerOf(request.headers.get("authorization")),
      claimedId: request.headers.get("x-spip-id"),
      client: connection.clientAddress,
    });
    return refusalResponse(refusal);
  };
}
