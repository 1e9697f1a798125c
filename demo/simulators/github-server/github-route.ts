/** An answer of the API. */
export interface GitHubAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection breaks instead of the answer. */
  readonly lost?: boolean;
}

/** One address of the API. */
export interface GitHubRoute {
  readonly method: string;
  /** Its groups are given to the handler. */
  readonly path: RegExp;
  /** `body`: of a request with JSON, else undefined. */
  handle(groups: readonly string[], url: URL, body: Readonly<Record<string, unknown>>): GitHubAnswer;
}

/** What GitHub says of anything that there is not, or that the token does not reach. */
export const gitHubNotFound: GitHubAnswer = {
  status: 404,
  body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" },
};

/** A text member of a body; empty when there is none. */
export function textOf(body: Readonly<Record<string, unknown>>, member: string): string {
  const value = body[member];
  return typeof value === "string" ? value : "";
}

/** Of a list its page, by number, with the address of the next one. */
export function pageOfList(items: readonly unknown[], url: URL, base: string): GitHubAnswer {
  const size = Math.min(Number(url.searchParams.get("per_page") ?? 30), 100);
  const number = Number(url.searchParams.get("page") ?? 1);
  const body = items.slice((number - 1) * size, number * size);
  if (number * size >= items.length) return { status: 200, body };
  const next = new URL(`${base}${url.pathname}${url.search}`);
  next.searchParams.set("page", String(number + 1));
  return { status: 200, body, headers: { link: `<${next.href}>; rel="next"` } };
}
