import { createHash } from "node:crypto";
import { acceptsGzip, compress } from "./compression.ts";
import type { PageFile, PageFiles } from "./page-files.ts";

/** The dashboard's files as answers. */
export interface Page {
  /** Identifies the build. It changes with the version of Loom and with every change of a file. */
  readonly build: string;
  /** The paths of all assets. */
  readonly assetPaths: readonly string[];
  /** The paths of those that the sign-in page loads. */
  readonly publicAssetPaths: readonly string[];
  /** The page, which is the same for all paths of the dashboard. */
  app(request: Request, status?: number): Promise<Response>;
  signIn(request: Request): Promise<Response>;
  asset(request: Request, path: string): Promise<Response>;
}

/** @param status 200 by default */
type Answer = (request: Request, status?: number) => Promise<Response>;

const buildLength = 16;
const year = "max-age=31536000, immutable";

/** @param files undefined: the page is not built, and every answer says so */
export function createPage(files: PageFiles | undefined, version: string): Page {
  const publicPaths = new Set(files?.signInAssets.map(({ path }) => path));
  const assets = new Map<string, Answer>();
  for (const file of [...(files?.assets ?? []), ...(files?.signInAssets ?? [])])
    assets.set(file.path, answerWith(file, `${publicPaths.has(file.path) ? "public" : "private"}, ${year}`));
  return {
    build: buildOf(files, version),
    assetPaths: [...assets.keys()],
    publicAssetPaths: [...publicPaths],
    app: files ? answerWith(files.index, "no-store") : notBuilt,
    signIn: files ? answerWith(files.signIn, "no-store") : notBuilt,
    asset: (request, path) => (assets.get(path) ?? notBuilt)(request),
  };
}

/** The names of the files contain the hashes of their contents. */
function buildOf(files: PageFiles | undefined, version: string): string {
  const all = files ? [files.index, files.signIn, ...files.assets, ...files.signInAssets] : [];
  const names = all.map(({ path }) => path).sort();
  return createHash("sha256")
    .update([version, ...names].join("\n"))
    .digest("hex")
    .slice(0, buildLength);
}

interface FileContent {
  readonly plain: Uint8Array<ArrayBuffer>;
  /** undefined if compression would not make it smaller. */
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
}

function answerWith(file: PageFile, cacheControl: string): Answer {
  /** Read and compressed at the first request, then stored. */
  let content: Promise<FileContent> | undefined;
  return async (request, status = 200) => {
    content ??= contentOf(file);
    const { plain, gzip } = await content;
    const headers = new Headers({ "content-type": file.contentType, "cache-control": cacheControl });
    if (gzip) headers.set("vary", "accept-encoding");
    if (!gzip || !acceptsGzip(request)) return new Response(plain, { status, headers });
    headers.set("content-encoding", "gzip");
    return new Response(gzip, { status, headers });
  };
}

async function contentOf(file: PageFile): Promise<FileContent> {
  const plain = await file.read();
  const gzip = await compress(plain, 9);
  return { plain, gzip: gzip.length < plain.length ? gzip : undefined };
}

async function notBuilt(): Promise<Response> {
  const text =
    "this Loom runs from its sources and does not contain the dashboard: use the executable (bun run build), or bun run dev\n";
  return new Response(text, {
    status: 503,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
