/** The prefix `__Host-` prevents other hosts of the domain from setting the cookie. Browsers accept it over HTTPS only. */
export function cookieName(name: string, encrypted: boolean): string {
  return `${encrypted ? '__Host-' : ''}onbehalf-${name}`;
}

/** A `Set-Cookie` value. It is `Lax`, because the browser comes back by a top-level navigation from another site. */
export function setCookie(name: string, value: string, maxAgeSeconds: number, encrypted: boolean): string {
  const secure = encrypted ? '; Secure' : '';
  return `${name}=${value}; Path=/; Max-Age=${String(maxAgeSeconds)}; HttpOnly; SameSite=Lax${secure}`;
}

/** The one value of a cookie. If two cookies have the same name, somebody planted one of them, so neither counts. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
