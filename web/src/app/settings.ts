/** What the reader has chosen, and how it is kept. */
import { createContext, use } from "react";
import { ownAddress, readAddress } from "../api/address";
import { LANGUAGES, type Language, type Texts, preferredLanguage } from "../texts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
export const ENGINES = ["browser", "server"] as const;
export type EngineName = (typeof ENGINES)[number];

/**
 * @property server Address of the service; empty for the page's own.
 * @property key API key; kept for this tab only.
 * @property race Whether race is guessed, too.
 * @property engine Where live faces are read.
 */
export interface Settings {
  language: Language;
  theme: Theme;
  server: string;
  key: string;
  race: boolean;
  engine: EngineName;
}

export interface Chosen extends Settings {
  texts: Texts;
  /** The service's address, also where it is the page's own. */
  url: string;
  change: (part: Partial<Settings>) => void;
}

const NAME = "mien.settings";
const KEY_NAME = "mien.key";

export const SettingsContext = createContext<Chosen | null>(null);

export function useSettings(): Chosen {
  const chosen = use(SettingsContext);
  if (!chosen) throw new Error("settings are used outside their provider");
  return chosen;
}

export function useTexts(): Texts {
  return useSettings().texts;
}

/** The service's address as it is used. */
export function serverUrl(settings: Settings): string {
  return settings.server || ownAddress();
}

/** What was kept, each part checked: the storage may hold anything. */
export function load(): Settings {
  const kept = readJson(stored(() => localStorage.getItem(NAME)) ?? "{}");
  const server = typeof kept["server"] === "string" ? readAddress(kept["server"]) : "";
  return {
    language: oneOf(LANGUAGES, kept["language"]) ?? preferredLanguage(navigator.languages),
    theme: oneOf(THEMES, kept["theme"]) ?? "auto",
    server: server ?? "",
    key: stored(() => sessionStorage.getItem(KEY_NAME)) ?? "",
    race: kept["race"] === true,
    engine: oneOf(ENGINES, kept["engine"]) ?? "browser",
  };
}

export function save({ key, ...rest }: Settings): void {
  stored(() => {
    localStorage.setItem(NAME, JSON.stringify(rest));
    sessionStorage.setItem(KEY_NAME, key);
  });
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((name) => name === value);
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** What a use of the storage gives; a browser may forbid it, and the page goes on without. */
function stored<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {
    return undefined;
  }
}
