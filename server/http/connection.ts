/** What a listener knows about the connection on which a request arrived. */
export interface Connection {
  /** The client in front of all trusted proxies. undefined: the other end has closed the connection. */
  readonly clientAddress: string | undefined;
  /** Bounds how long the client may take from now on; `undefined` restores the listener's idle timeout. */
  limitTime(seconds: number | undefined): void;
}

/** Answers one request. */
export type HandleRequest = (request: Request, connection: Connection) => Response | Promise<Response>;

/** For a request that did not arrive through a listener. */
export const noConnection: Connection = { clientAddress: undefined, limitTime() {} };

/**
 * Remembers the connection of each request while it is handled. Elysia passes only the request to a route, so an app
 * stores the connection here before and reads it in the route.
 */
export class RequestConnections {
  readonly #connections = new WeakMap<Request, Connection>();

  set(request: Request, connection: Connection): void {
    this.#connections.set(request, connection);
  }

  get(request: Request): Connection {
    return this.#connections.get(request) ?? noConnection;
  }
}
