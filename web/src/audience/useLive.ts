/** The live totals, as the service sends them. */
import { useCallback, useEffect, useState } from "react";
import { type Failure, asFailure } from "../api/failure";
import type { LiveAudience } from "../api/types";
import type { LinkState, WatchService } from "../api/watch";

export interface Live {
  live: LiveAudience | null;
  state: LinkState;
  /** Why it is not even tried again. */
  failure: Failure | null;
  retry: () => void;
}

export function useLive(service: WatchService): Live {
  const [live, setLive] = useState<LiveAudience | null>(null);
  const [state, setState] = useState<LinkState>("connecting");
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const control = new AbortController();
    const { signal } = control;
    const unless = <T>(set: (value: T) => void) => {
      return (value: T) => {
        if (!signal.aborted) set(value);
      };
    };
    const listener = { onLive: unless(setLive), onState: unless(setState) };
    service.follow(listener, signal).catch((thrown: unknown) => {
      unless(setFailure)(asFailure(thrown));
    });
    return () => {
      control.abort();
      setLive(null);
      setState("connecting");
      setFailure(null);
    };
  }, [service, attempt]);
  const retry = useCallback(() => setAttempt((old) => old + 1), []);
  return { live, state, failure, retry };
}
