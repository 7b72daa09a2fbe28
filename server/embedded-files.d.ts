// Imports `with { type: "file" }`: the path of a file that the executable carries.
declare module "*.mmdb" {
  const path: string;
  export default path;
}
declare module "*.ndjson" {
  const path: string;
  export default path;
}
