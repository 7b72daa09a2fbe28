/** The token in `Authorization: Bearer …` (RFC 6750 2.1). The scheme may be in any case (RFC 9110 11.1). */
export function bearerToken(authorization: string | null): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(authorization ?? "")?.[1];
}
