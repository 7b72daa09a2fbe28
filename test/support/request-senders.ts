/**
 * A program that sends one batch, `batch.json` of its working directory, to `LOOM_URL` with the token `LOOM_TOKEN`. It fails if
 * the answer is not 204. curl trusts the certificate in the file `SSL_CERT_FILE`.
 */
export interface Sender {
  /** What is special in its requests. */
  readonly title: string;
  readonly fileName: string;
  readonly program: string;
}

const pythonHead = `
import http.client, os, urllib.parse, urllib.request
url = os.environ["LOOM_URL"]
parts = urllib.parse.urlsplit(url)
secure = parts.scheme == "https"
connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(parts.netloc)
headers = {"Authorization": "Bearer " + os.environ["LOOM_TOKEN"], "Content-Type": "application/json; charset=UTF-8"}
body = open("batch.json", "rb").read()
def check(answer):
    assert answer.status == 204, answer.status
`;

const nodeHead = `
import { readFileSync, createReadStream } from "node:fs";
import http from "node:http";
import https from "node:https";
const url = process.env.LOOM_URL;
const headers = { authorization: "Bearer " + process.env.LOOM_TOKEN, "content-type": "application/json;charset=utf-8" };
const check = (status) => { if (status !== 204) throw new Error(String(status)); };
`;

const goHead = `
package main

import (
	"io"
	"net/http"
	"os"
	"time"
)

var body, _ = os.Open("batch.json")

func send(body io.Reader, length int64, expect string) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = 20 * time.Second
	request, _ := http.NewRequest("POST", os.Getenv("LOOM_URL"), body)
	request.ContentLength = length
	request.Header.Set("Authorization", "Bearer "+os.Getenv("LOOM_TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	if expect != "" {
		request.Header.Set("Expect", expect)
	}
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		panic(err)
	}
	if answer.StatusCode != 204 {
		panic(answer.Status)
	}
}
`;

function javaProgram(request: string): string {
  return `
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.time.Duration;
public class Send {
  public static void main(String[] arguments) throws Exception {
    var client = HttpClient.newHttpClient();
    var request = HttpRequest.newBuilder(URI.create(System.getenv("LOOM_URL"))).timeout(Duration.ofSeconds(10))
      .header("Authorization", "Bearer " + System.getenv("LOOM_TOKEN")).header("Content-Type", "application/json")
      ${request}.build();
    var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 204) throw new IllegalStateException(answer.toString());
  }
}
`;
}

const javaFile = 'HttpRequest.BodyPublishers.ofFile(Path.of("batch.json"))';
const javaStream = `HttpRequest.BodyPublishers.ofInputStream(() -> {
        try { return Files.newInputStream(Path.of("batch.json")); } catch (java.io.IOException error) { throw new RuntimeException(error); }
      })`;
const curlHead = `set -e
send() { curl -sS --max-time 10 --fail --cacert "$SSL_CERT_FILE" -H "Authorization: Bearer $LOOM_TOKEN" -H 'Content-Type: application/json' "$@" "$LOOM_URL"; }
`;

const python: readonly Sender[] = [
  {
    title: "urllib closes its connection",
    fileName: "send.py",
    program: `${pythonHead}check(urllib.request.urlopen(urllib.request.Request(url, body, headers)))`,
  },
  {
    title: "http.client sends a generator in chunks",
    fileName: "send.py",
    program: `${pythonHead}
connection.request("POST", parts.path, (body[at:at + 1000] for at in range(0, len(body), 1000)), headers, encode_chunked=True)
check(connection.getresponse())`,
  },
];

const node: readonly Sender[] = [
  {
    title: "fetch sends a stream in chunks",
    fileName: "send.mjs",
    program: `${nodeHead}
const { status } = await fetch(url, { method: "POST", headers, body: createReadStream("batch.json"), duplex: "half" });
check(status);`,
  },
  {
    title: "node:http waits for 100 Continue",
    fileName: "send.mjs",
    program: `${nodeHead}
const { request } = url.startsWith("https:") ? https : http;
const sent = request(url, { method: "POST", headers: { ...headers, expect: "100-continue" }, timeout: 10_000 }, (answer) => { check(answer.statusCode); answer.resume(); });
sent.on("continue", () => sent.end(readFileSync("batch.json")));
sent.on("timeout", () => { throw new Error("no 100 Continue"); });
sent.flushHeaders();`,
  },
];

const go: readonly Sender[] = [
  {
    title: "net/http sends a reader in chunks",
    fileName: "send.go",
    program: `${goHead}\nfunc main() { send(io.MultiReader(body), -1, "") }`,
  },
  {
    title: "net/http waits for 100 Continue",
    fileName: "send.go",
    program: `${goHead}\nfunc main() { info, _ := body.Stat(); send(body, info.Size(), "100-continue") }`,
  },
];

const java: readonly Sender[] = [
  {
    title: "java.net.http offers HTTP/2 and sends a file",
    fileName: "Send.java",
    program: javaProgram(`.POST(${javaFile})`),
  },
  {
    title: "java.net.http sends a stream in chunks",
    fileName: "Send.java",
    program: javaProgram(`.POST(${javaStream})`),
  },
];

const curl: readonly Sender[] = [
  {
    title: "curl waits for 100 Continue, as it does for large bodies",
    fileName: "send.sh",
    program: `${curlHead}send --expect100-timeout 20 -H 'Expect: 100-continue' --data-binary @batch.json`,
  },
  {
    title: "curl offers HTTP/2",
    fileName: "send.sh",
    program: `${curlHead}send --http2 --data-binary @batch.json`,
  },
  {
    title: "curl sends its standard input in chunks",
    fileName: "send.sh",
    program: `${curlHead}send -X POST -T - < batch.json`,
  },
];

/** Programs in several languages, each with requests of another form. */
export const senders = { python, node, go, java, curl } as const;
