import { expect, test } from "bun:test";
import { escapeLike, textLiteral } from "../../server/outputs/clickhouse/history/sql-literal.ts";
import { runSql } from "./history-tables.ts";
import { createRandom } from "./random.ts";

const pieces = [
  ..."\\'\"`%_*?\0\b\f\n\r\t\v/-#;,()[]{}$@:=xX0159aAnNtTé日😀\u2028\u0085",
  ...["\\x41", "\\0", "\\'", "''", "\\\\", "-- ", "/*", "*/", "{p:String}", "$1", "'; DROP TABLE events; --"],
];

/** The tests of literals with a real server. */
export function testsOfLiterals(url: () => string): void {
  test("random literals are read as the text that they stand for", async () => {
    const random = createRandom(3);
    const texts = Array.from({ length: 2000 }, () =>
      Array.from({ length: random.below(12) }, () => random.pick(pieces)).join(""),
    );
    for (let at = 0; at < texts.length; at += 200) {
      const some = texts.slice(at, at + 200);
      const columns = some.flatMap((text) => [
        `hex(${textLiteral(text)})`,
        `${textLiteral(text)} LIKE ${textLiteral(escapeLike(text))}`,
        `${textLiteral(`${text}x`)} LIKE ${textLiteral(escapeLike(text))}`,
      ]);
      const answer = await runSql(url(), `SELECT ${columns.join(", ")} FORMAT TabSeparated`);
      const expected = some.flatMap((text) => [Buffer.from(text).toString("hex").toUpperCase(), "1", "0"]);
      expect(answer.replace(/\n$/, "").split("\t")).toEqual(expected);
    }
  });
}
