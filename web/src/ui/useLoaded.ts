/** Something that is fetched, and fetched anew when what it depends on changes. */
import { useCallback, useEffect, useState } from "react";
import { type Failure, asFailure } from "../api/failure";

export type Load<T> = (signal: AbortSignal) => Promise<T>;

export interface Loaded<T> {
  /** Null until it is there. */
  value: T | null;
  failure: Failure | null;
  retry: () => void;
}

interface Outcome<T> {
  load: Load<T> | null;
  attempt: number;
  value: T | null;
  failure: Failure | null;
}

/**
 * @param load Fetches it; kept by useCallback, for another function means another thing. Null
 *   where there is nothing to fetch.
 */
export function useLoaded<T>(load: Load<T> | null): Loaded<T> {
  const [attempt, setAttempt] = useState(0);
  const [outcome, setOutcome] = useState<Outcome<T>>(() => ({
    load: null,
    attempt,
    value: null,
    failure: null,
  }));
  useEffect(() => {
    if (!load) return;
    const control = new AbortController();
    load(control.signal).then(
      (value) => setOutcome({ load, attempt, value, failure: null }),
      (thrown: unknown) => {
        if (control.signal.aborted) return;
        setOutcome({ load, attempt, value: null, failure: asFailure(thrown) });
      },
    );
    return () => control.abort();
  }, [load, attempt]);
  const retry = useCallback(() => setAttempt((old) => old + 1), []);
  const fresh = load !== null && outcome.load === load && outcome.attempt === attempt;
  const { value, failure } = fresh ? outcome : { value: null, failure: null };
  return { value, failure, retry };
}
