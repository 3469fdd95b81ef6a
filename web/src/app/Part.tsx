/** A part of the page that stays as it is while another is shown. */
import { createContext, type ReactNode, useContext } from "react";

const Shown = createContext(true);

export function Part({ shown, children }: { shown: boolean; children: ReactNode }) {
  return (
    <Shown value={shown}>
      <div className="part" hidden={!shown}>{children}</div>
    </Shown>
  );
}

/** Say whether the part is shown: one that is not takes no drops and no pastes. */
export function useShown(): boolean {
  return useContext(Shown);
}
