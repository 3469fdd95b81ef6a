/** How long a tally runs. */
import { useEffect, useState } from "react";

export function minutesSince(moment: string, now: number = Date.now()): number {
  return Math.max(0, now - Date.parse(moment)) / 60_000;
}

/** Minutes and seconds, as 12:05. */
export function clockText(minutes: number): string {
  const seconds = Math.floor(minutes * 60);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function Elapsed({ since, label }: { since: string; label: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span role="timer" aria-label={label}>
      {clockText(minutesSince(since, now))}
    </span>
  );
}
