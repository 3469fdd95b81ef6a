/** Which page is shown: the part of the address after #. */
import { useSyncExternalStore } from "react";

export const PAGES = ["photo", "live", "classify", "models", "audience", "tally"] as const;
/** Those that the menu names; the tally is for a phone, and found from the audience. */
export const MENU: readonly Page[] = PAGES.filter((page) => page !== "tally");
export type Page = (typeof PAGES)[number];

/** The page of a hash; null where there is none of that name. */
export function pageOf(hash: string): Page | null {
  const name = hash.replace(/^#\/?/, "") || "photo";
  return PAGES.find((page) => page === name) ?? null;
}

export function usePage(): Page | null {
  return useSyncExternalStore(follow, () => pageOf(window.location.hash));
}

function follow(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
