/** What can go wrong in the engine, said so that people can act on it. */

export type Trouble =
  /** The browser lacks something that the engine needs. */
  | "browser"
  /** The service cannot be reached, or answers with an error. */
  | "service"
  /** The service asks for an API key, or for another one. */
  | "key"
  /** The service has no such model, or the model has no such task. */
  | "missing"
  /** A file cannot be run, or its answers make no sense. */
  | "model"
  /** The picture cannot be read. */
  | "picture"
  /** The engine was closed. */
  | "closed";

/** An error with a message for people and a kind for programs. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly kind: Trouble,
    message: string,
  ) {
    super(message);
  }
}

/** Return an error as one of the engine's; one of others is taken to be of the given kind. */
export function asEngineError(error: unknown, kind: Trouble): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError(kind, error instanceof Error ? error.message : String(error));
}
