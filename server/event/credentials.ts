/** A user name and a password that a source tried; one of them may be missing. */
export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

const basicAuthorization = /^authorization: basic ([a-z\d+/=]+)/im;

/** The credentials in an event. @param document as JSON.parse returns it @param payload as payloadOf(document) returns it */
export function credentialsOf(_document: unknown, payload: Uint8Array | undefined): Credentials | undefined {
  const basic = payload && basicAuthorization.exec(Buffer.from(payload).toString("latin1"))?.[1];
  if (!basic) return undefined;
  const [user = "", ...password] = Buffer.from(basic, "base64").toString().split(":");
  return { user, password: password.join(":") };
}
