import { describe, expect, test } from "bun:test";
import { KnownScanners, scannerEntries } from "../../server/enrich/known-scanners.ts";
import { parseScannerEntries, type ScannerEntry } from "../../server/enrich/scanner-entries.ts";

const sources = ["https://scanner.example/about"];
const acme: ScannerEntry = {
  id: "acme",
  name: "Acme",
  names: [".scan.acme.example"],
  networks: ["192.0.2.0/25", "2001:db8:1::/48"],
  asNumbers: [64_500],
  sources,
};
const other: ScannerEntry = { id: "other", name: "Other", networks: ["198.51.100.0/24"], sources };
const scanners = new KnownScanners([acme, other]);

describe("the scanner of an address", () => {
  test.each([
    ["192.0.2.0", "acme"],
    ["192.0.2.127", "acme"],
    ["198.51.100.7", "other"],
    ["2001:db8:1:0:0:0:0:1", "acme"],
  ])("%s is known by its network", (address, id) => {
    expect(scanners.scannerOf(address, undefined)?.id).toBe(id);
  });

  test.each(["192.0.1.255", "192.0.2.128", "198.51.101.0", "2001:db8:2:0:0:0:0:1", "", "scan.acme.example"])(
    "%p is not known by its network",
    (address) => {
      expect(scanners.scannerOf(address, undefined)).toBeUndefined();
    },
  );

  test("is known by its AS number", () => {
    expect(scanners.scannerOf("203.0.113.1", 64_500)?.id).toBe("acme");
    expect(scanners.scannerOf("203.0.113.1", 64_501)).toBeUndefined();
  });

  test("is that of the network if the AS number is that of another one", () => {
    expect(scanners.scannerOf("198.51.100.7", 64_500)?.id).toBe("other");
  });
});

describe("a name", () => {
  test.each(["scan.acme.example", "one.scan.acme.example", "a.b.scan.acme.example", "One.Scan.ACME.Example"])(
    "%s is in the domain of a scanner",
    (name) => {
      expect(scanners.scannerOfName(name)?.id).toBe("acme");
    },
  );

  test.each([
    "acme.example",
    "example",
    "",
    "evilscan.acme.example",
    "scan.acme.example.evil.example",
    "scan-acme.example",
  ])("%p is not in the domain of a scanner", (name) => {
    expect(scanners.scannerOfName(name)).toBeUndefined();
  });
});

describe("data/known-scanners.json", () => {
  test("is valid", () => {
    expect(scannerEntries.length).toBeGreaterThan(20);
    expect(() => parseScannerEntries(scannerEntries)).not.toThrow();
  });

  test("is in the order of the ids", () => {
    const ids = scannerEntries.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted());
  });

  test("gives each name and each network the scanner that lists it", () => {
    const list = new KnownScanners();
    for (const { id, names = [], networks = [] } of scannerEntries) {
      for (const name of names) expect(list.scannerOfName(`host-1${name}`)?.id).toBe(id);
      for (const network of networks)
        expect(list.scannerOf(network.split("/")[0] ?? "", undefined)?.id).toBe(id);
    }
  });
});

describe("an entry is refused", () => {
  test.each<[string, Partial<ScannerEntry>, string]>([
    ["with an id in upper case", { id: "Acme" }, "the id is not"],
    ["with a blank in its id", { id: "a b" }, "the id is not"],
    ["with the tag of all scanners as its id", { id: "known-scanner" }, "the tag of all scanners"],
    ["without a name", { name: " " }, "the name is empty"],
    ["that nothing recognizes", { names: [], networks: [], asNumbers: [] }, "it has no names"],
    ["with a domain without a leading dot", { names: ["acme.example"] }, "acme.example is not"],
    ["with a top-level domain", { names: [".com"] }, ".com is not"],
    ["with a domain in upper case", { names: [".Acme.example"] }, ".Acme.example is not"],
    ["with a domain that ends with a dot", { names: [".acme.example."] }, ".acme.example. is not"],
    ["with a network that is none", { networks: ["192.0.2.0/33"] }, "192.0.2.0/33: the prefix length"],
    ["with bits behind the prefix", { networks: ["192.0.2.1/24"] }, "192.0.2.1/24: the address has bits"],
    ["with an AS number that is none", { asNumbers: [0] }, "0 is not an AS number"],
    ["with a fraction as AS number", { asNumbers: [1.5] }, "1.5 is not an AS number"],
    ["without a source", { sources: [] }, "it has no source"],
    ["with a source that is no URL", { sources: ["acme.example"] }, "acme.example is not an https URL"],
    ["with a source on http", { sources: ["http://acme.example"] }, "is not an https URL"],
    ["with a network twice", { networks: ["192.0.2.0/24", "192.0.2.0/24"] }, "192.0.2.0 is within 192.0.2.0"],
    ["with a network in a network", { networks: ["192.0.2.0/24", "192.0.2.64/26"] }, "192.0.2.64 is within"],
    ["with a domain in a domain", { names: [".a.example", ".b.a.example"] }, ".b.a.example is within"],
  ])("%s", (_what, change, fault) => {
    const refused = () => parseScannerEntries([{ ...acme, ...change }]);
    expect(refused).toThrow(`data/known-scanners.json: ${change.id ?? "acme"}: `);
    expect(refused).toThrow(fault);
  });

  test.each<[string, Partial<ScannerEntry>, string]>([
    ["with its id", { id: "acme" }, "the id acme is listed twice"],
    ["with its AS number", { asNumbers: [64_500] }, "the AS number 64500 is listed twice"],
    [
      "with a network around one of its networks",
      { networks: ["192.0.2.0/24"] },
      "which other lists already",
    ],
    ["with a network in one of its networks", { networks: ["192.0.2.8/29"] }, "which acme lists already"],
    ["with a domain around its domain", { names: [".acme.example"] }, "which other lists already"],
  ])("if there is another one %s", (_what, change, fault) => {
    expect(() => parseScannerEntries([acme, { ...other, ...change }])).toThrow(fault);
  });
});
