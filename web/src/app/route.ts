/** Which page is shown: the part of the address after #. */
import { useSyncExternalStore } from "react";

export const PAGES = ["photo", "live", "classify", "models", "audience", "tally"] as const;
export type Page = (typeof PAGES)[number];

/** The page to begin with: what the service is there for, which it writes into the document. */
export function firstPage(named = document.documentElement.dataset["first"]): Page {
  return PAGES.find((page) => page === named) ?? "photo";
}

/** Those that the menu names; the tally is for a phone, and found from the audience. */
export function menu(first: Page): Page[] {
  const others = PAGES.filter((page) => page !== first && page !== "tally");
  return [first, ...others];
}

/** The page of a hash; null where there is none of that name. */
export function pageOf(hash: string, first: Page): Page | null {
  const name = hash.replace(/^#\/?/, "") || first;
  return PAGES.find((page) => page === name) ?? null;
}

export function usePage(): Page | null {
  return useSyncExternalStore(follow, () => pageOf(window.location.hash, firstPage()));
}

function follow(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}
