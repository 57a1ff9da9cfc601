// Problems (RFC 9457) as errors.
import type { components } from "./schema.js";

export type Problem = components["schemas"]["Problem"];
export type ProblemCode = Problem["code"];

/** What the API, or the gateway in front of it, refused. Decide by `code`; `fields` says what is wrong with which field. */
export class QutabProblem extends Error {
  readonly fields: ReadonlyMap<string, string>;

  constructor(
    readonly status: number,
    readonly code: ProblemCode,
    message: string,
    readonly requestId: string | undefined,
    /** Seconds to wait before trying again. */
    readonly retryAfter: number | undefined,
    errors: Problem["errors"] = [],
  ) {
    super(message);
    this.name = "QutabProblem";
    this.fields = new Map(errors.map((e) => [e.field, e.message]));
  }
}

/** The gateway's own answers have no code: their status says enough. */
const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  401: "not_logged_in",
  403: "not_allowed",
  404: "not_found",
  413: "too_large",
  429: "too_many_requests",
  503: "temporarily_unavailable",
};

export function problemOf(response: Response, body: unknown): QutabProblem {
  const said = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem> & { message?: string };
  const code = said.code ?? BY_STATUS[response.status] ?? (response.status < 500 ? "malformed" : "internal");
  const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  const text = said.detail ?? said.title ?? said.message ?? `HTTP ${response.status}`;
  const id = said.request_id ?? response.headers.get("x-request-id") ?? undefined;
  return new QutabProblem(response.status, code, text, id, Number.isNaN(wait) ? undefined : wait, said.errors);
}

/** The data of an answer, or the problem as an error. */
export function unwrap<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.error !== undefined || !answer.response.ok) throw problemOf(answer.response, answer.error);
  return answer.data as T;
}
