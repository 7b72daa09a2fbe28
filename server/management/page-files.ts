import type { HTMLBundle } from "bun";
import index from "../../ui/index.html";
import signIn from "../../ui/sign-in.html";

/** One file of the page. */
export interface PageFile {
  /** For example "/chunk-0b73dz2w.css": the name changes with the content. The two HTML files are not requested by it. */
  readonly path: string;
  readonly contentType: string;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The built page with all files that it loads. */
export interface PageFiles {
  readonly index: PageFile;
  readonly signIn: PageFile;
  readonly assets: readonly PageFile[];
  /** The files that the sign-in page loads; they are served without a session. */
  readonly signInAssets: readonly PageFile[];
}

type BundledFile = NonNullable<HTMLBundle["files"]>[number];

/** The page in the executable; undefined if Loom runs from its sources, because then the page is not built. */
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

/** In the executable, `Bun.file(…).exists()` is false for these files although they can be read. */
function pageFile({ path, headers }: BundledFile): PageFile {
  return {
    path: path.slice(path.lastIndexOf("/")),
    contentType: headers["content-type"],
    read: () => Bun.file(path).bytes(),
  };
}
