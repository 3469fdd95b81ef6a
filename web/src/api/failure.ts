/** Why a call of the service failed, in kinds that the page has words for. */
import type { Problem } from "./types";

export type FailureKind =
  | "unreachable"
  | "unauthorised"
  | "too-large"
  | "unreadable"
  | "busy"
  | "no-model"
  | "absent"
  | "taken"
  | "invalid"
  | "refused"
  | "broken";

/** Kinds by the status of an answer. */
export type Kinds = Readonly<Record<number, FailureKind>>;

const KINDS: Kinds = {
  401: "unauthorised",
  404: "no-model",
  413: "too-large",
  415: "unreadable",
  422: "unreadable",
  429: "busy",
  503: "busy",
};

/** A call that failed: its kind, and what the service said, if it said anything. */
export class Failure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, detail = "") {
    super(detail);
    this.name = "Failure";
    this.kind = kind;
  }
}

/**
 * The failure that an answer of this status and content stands for.
 *
 * @param kinds Kinds that go before the usual ones, which speak of pictures.
 */
export function failureOf(status: number, content: unknown, kinds: Kinds = {}): Failure {
  const kind = kinds[status] ?? KINDS[status] ?? (status >= 500 ? "broken" : "refused");
  return new Failure(kind, isProblem(content) ? content.detail : "");
}

/** Anything thrown, as a failure. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  // What fetch throws where there is no answer at all.
  if (thrown instanceof TypeError) return new Failure("unreachable");
  return new Failure("broken", thrown instanceof Error ? thrown.message : String(thrown));
}

function isProblem(content: unknown): content is Problem {
  return (
    typeof content === "object" &&
    content !== null &&
    "detail" in content &&
    typeof content.detail === "string"
  );
}
