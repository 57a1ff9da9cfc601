// What a browser does by itself for a page of another origin: keeps cookies and sends them where their path says, but
// only with requests that include them.
export function withCookies(): typeof fetch {
  const jar = new Map<string, { value: string; path: string }>();
  return async (input, init) => {
    const request = new Request(input, init);
    if (request.credentials !== "include") return fetch(request);
    const { pathname } = new URL(request.url);
    const fitting = [...jar].filter(([, c]) => pathname.startsWith(c.path)).map(([name, c]) => `${name}=${c.value}`);
    if (fitting.length > 0) request.headers.set("cookie", fitting.join("; "));
    const answer = await fetch(request);
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = "", ...attributes] = cookie.split(";").map((part) => part.trim());
      const [name = "", ...value] = pair.split("=");
      const path = attributes.find((a) => a.toLowerCase().startsWith("path="))?.slice(5) ?? "/";
      if (attributes.some((a) => /^max-age=0$/i.test(a))) jar.delete(name);
      else jar.set(name, { value: value.join("="), path });
    }
    return answer;
  };
}

/** Spoils the token of one request, as if its time were over. */
export function withOldToken(inner: typeof fetch): { fetch: typeof fetch; spoil: () => void } {
  let spoilt = false;
  return {
    spoil: () => (spoilt = true),
    fetch: (input, init) => {
      const request = new Request(input, init);
      if (spoilt && request.headers.has("authorization")) {
        spoilt = false;
        request.headers.set("authorization", "Bearer old");
      }
      return inner(request);
    },
  };
}
