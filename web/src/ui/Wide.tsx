/** What may be wider than the screen: it scrolls by itself, by keyboard too. */
import type { ReactNode } from "react";

export function Wide({ label, children }: { label: string; children: ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keyboard scrolls what has the focus
    <div className="wide" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
