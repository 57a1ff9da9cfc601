// Problems (RFC 9457) as errors.
import type { components } from "./schema.js";

export type Problem = components["schemas"]["Problem"];
export type ProblemCode = Problem["code"];
export type WrongField = components["schemas"]["WrongField"];

/** What the API, or the gateway in front of it, refused. Decide by `code`; `fields` says what is wrong with which field. */
export class QutabProblem extends Error {
  /** What to show beside each field, by its path: `items[0].quantity`. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(
    readonly status: number,
    readonly code: ProblemCode,
    message: string,
    readonly requestId: string | undefined,
    /** Seconds to wait before trying again. */
    readonly retryAfter: number | undefined,
    /** The same as `fields` with the code of each, for words of one's own. */
    readonly errors: readonly WrongField[] = [],
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
  405: "method_not_allowed",
  413: "too_large",
  415: "wrong_media_type",
  429: "too_many_requests",
  503: "temporarily_unavailable",
  504: "temporarily_unavailable",
};

/** What may be in a refusal: a problem of the API's, or `message` of the gateway's. */
type Said = Partial<Problem> & { message?: string };

const said = (body: unknown): Said => (typeof body === "object" && body !== null ? body : {});

export const codeOf = (body: unknown): ProblemCode | undefined => said(body).code;

export function problemOf(response: Response, body: unknown): QutabProblem {
  const { code, detail, title, message, request_id, errors } = said(body);
  const meant = code ?? BY_STATUS[response.status] ?? (response.status < 500 ? "malformed" : "internal");
  const wait = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  const text = detail ?? title ?? message ?? `HTTP ${response.status}`;
  const id = request_id ?? response.headers.get("x-request-id") ?? undefined;
  return new QutabProblem(response.status, meant, text, id, Number.isNaN(wait) ? undefined : wait, errors);
}

/** The problem in an answer that nobody has read. */
export const problemIn = async (answer: Response): Promise<QutabProblem> =>
  problemOf(answer, await answer.json().catch(() => undefined));

/** The data of an answer, or the problem as an error. */
export function unwrap<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.error !== undefined || !answer.response.ok) throw problemOf(answer.response, answer.error);
  return answer.data as T;
}
