/** Keeps what was shown while the next thing is fetched, so that nothing jumps. */
import { useState } from "react";

/** The newest value that was not null. */
export function useKept<T>(value: T | null): T | null {
  const [kept, setKept] = useState(value);
  if (value !== null && value !== kept) setKept(value);
  return value ?? kept;
}
