// What a browser does by itself: keeps cookies and sends them where their path says.
export function withCookies(): typeof fetch {
  const jar = new Map<string, { value: string; path: string }>();
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    const fitting = [...jar].filter(([, c]) => pathname.startsWith(c.path)).map(([name, c]) => `${name}=${c.value}`);
    if (fitting.length > 0) request.headers.set("cookie", fitting.join("; "));
    const answer = await fetch(request);
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = "", ...attributes] = cookie.split(";").map((part) => part.trim());
      const [name = "", ...value] = pair.split("=");
      const path = attributes.find((a) => a.toLowerCase().startsWith("path="))?.slice(5) ?? "/";
      jar.set(name, { value: value.join("="), path });
    }
    return answer;
  };
}
