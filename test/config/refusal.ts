import { ConfigError } from "../../server/config/config-error.ts";

/** The message that `act` fails with. The test fails if `act` does not fail, or if the message has more than one line. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return messageOf(error);
  }
  throw new Error("nothing was refused");
}

/** The same for what is read from files. */
export async function refusalOf(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    return messageOf(error);
  }
  throw new Error("nothing was refused");
}

function messageOf(error: unknown): string {
  if (!(error instanceof ConfigError)) throw error;
  if (/[\n\r\u2028\u2029]/.test(error.message)) throw new Error(`more than one line: ${error.message}`);
  return error.message;
}
