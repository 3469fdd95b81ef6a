/** How the service is called: with patience where it is full, and failures in kinds. */
import { type Kinds, asFailure, failureOf } from "./failure";

const TRIES = 3;
const LONGEST_WAIT = 5;

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * What a call gives.
 *
 * @param kinds As for `failureOf`.
 * @throws {Failure} It failed.
 */
export async function told<T>(call: Promise<Answer<T>>, kinds: Kinds = {}): Promise<T> {
  try {
    const { data, error, response } = await call;
    if (data === undefined || !response.ok) throw failureOf(response.status, error, kinds);
    return data;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw asFailure(thrown);
  }
}

/** Fetch; where the service is full, wait as long as it says and try again. */
export async function patient(request: Request): Promise<Response> {
  for (let left = TRIES - 1; left > 0; left -= 1) {
    const response = await fetch(request.clone());
    if (response.status !== 503) return response;
    const seconds = Number(response.headers.get("Retry-After") ?? "1") || 1;
    await sleep(Math.min(seconds, LONGEST_WAIT) * 1000, request.signal);
  }
  return fetch(request);
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    });
  });
}
