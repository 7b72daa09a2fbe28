// Imports `with { type: "file" }`: the path of a file that the executable carries.
declare module "*.ndjson" {
  const path: string;
  export default path;
}
