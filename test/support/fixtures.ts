import * as demo from "../../server/cli/demo/captured-requests.ts";

export type { CapturedRequest } from "../../server/cli/demo/captured-requests.ts";

export const capturedRequests = await demo.capturedRequests();
