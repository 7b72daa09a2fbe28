import { expect, test } from "bun:test";
import { type Connection, noConnection, RequestConnections } from "../../server/http/connection.ts";

const connection: Connection = { clientAddress: "192.0.2.1", limitTime() {} };

test("the connection of a request is the one that was stored for it", () => {
  const connections = new RequestConnections();
  const [request, other] = [new Request("http://loom.example/"), new Request("http://loom.example/")];
  connections.set(request, connection);
  expect(connections.get(request)).toBe(connection);
  expect(connections.get(other)).toBe(noConnection);
});

test("a request without a connection has no client address", () => {
  noConnection.limitTime(1);
  expect(noConnection.clientAddress).toBeUndefined();
});
