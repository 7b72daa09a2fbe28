import { expect, test } from "bun:test";
import { columnNames, columns } from "../../server/event/columns.ts";
import { fieldOfName, nameOfColumn, queryFields, queryNames } from "../../server/query/query-fields.ts";

test("every column has a field of its kind", () => {
  expect(queryFields.map(({ column }) => column).toSorted()).toEqual(columnNames.toSorted());
  expect(queryFields.filter(({ column, kind }) => columns[column].kind !== kind)).toEqual([]);
});

test("every column that is an ECS field is called by that field's name too", () => {
  const wrong = columnNames.filter((column) => {
    const { field } = columns[column];
    return /^[a-z0-9_.]+$/.test(field) && fieldOfName(field)?.column !== column;
  });
  expect(wrong).toEqual([]);
});

test("no two fields have the same name, and names are found in any case", () => {
  expect(new Set(queryNames).size).toBe(queryNames.length);
  expect(fieldOfName("Source.IP")?.column).toBe("ip");
  expect(columnNames.map((column) => fieldOfName(nameOfColumn(column))?.column)).toEqual([...columnNames]);
});
