import type { HTMLBundle } from "bun";
import index from "../../ui/index.html";
import signIn from "../../ui/sign-in.html";

/** One file of the page. */
export interface PageFile {
  /** "/chunk-0b73dz2w.css": its name changes with its content. For the two HTML files nobody asks. */
  readonly path: string;
  readonly contentType: string;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The page as it was built, with everything it loads. */
export interface PageFiles {
  readonly index: PageFile;
  readonly signIn: PageFile;
  readonly assets: readonly PageFile[];
  /** What the sign-in page loads, for those who have no session yet. */
  readonly signInAssets: readonly PageFile[];
}

type BundledFile = NonNullable<HTMLBundle["files"]>[number];

/** The page inside the executable; undefined where the sources run, for then nothing has built it. */
export function embeddedPageFiles(): PageFiles | undefined {
  if (!index.files || !signIn.files) return undefined;
  return {
    index: htmlOf(index.files),
    signIn: htmlOf(signIn.files),
    assets: assetsOf(index.files),
    signInAssets: assetsOf(signIn.files),
  };
}

function htmlOf(files: readonly BundledFile[]): PageFile {
  const html = files.find(({ loader }) => loader === "html");
  if (!html) throw new Error("BUG: a page was built without its HTML");
  return pageFile(html);
}

function assetsOf(files: readonly BundledFile[]): PageFile[] {
  return files.filter(({ loader }) => loader !== "html").map(pageFile);
}

/** In the executable `Bun.file(…).exists()` is false for each of these; reading works. */
function pageFile({ path, headers }: BundledFile): PageFile {
  return {
    path: path.slice(path.lastIndexOf("/")),
    contentType: headers["content-type"],
    read: () => Bun.file(path).bytes(),
  };
}
