/** Keeps the phone's screen on, where the browser lets a page do so. */
import { useEffect, useState } from "react";

/** Say whether the screen stays on. */
export function useAwake(wanted: boolean): boolean {
  const [awake, setAwake] = useState(false);
  useEffect(() => {
    // Pages that are not secure do not have it.
    const lock = navigator.wakeLock as WakeLock | undefined;
    if (!wanted || !lock) return;
    let over = false;
    let given: WakeLockSentinel | null = null;
    const ask = async () => {
      if (document.visibilityState !== "visible" || (given && !given.released)) return;
      try {
        const sentinel = await lock.request("screen");
        if (over) return void sentinel.release();
        given = sentinel;
        setAwake(true);
        // It goes with the page's sight, and on a low battery.
        sentinel.addEventListener("release", () => setAwake(false));
      } catch {
        setAwake(false);
      }
    };
    void ask();
    const onSight = () => void ask();
    document.addEventListener("visibilitychange", onSight);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", onSight);
      void given?.release();
      setAwake(false);
    };
  }, [wanted]);
  return awake;
}
