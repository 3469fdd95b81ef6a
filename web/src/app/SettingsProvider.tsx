/** Gives the settings to all that stand below, and puts language and colours into the document. */
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { dictionaries } from "../texts";
import { type Chosen, type Settings, SettingsContext, load, save, serverUrl } from "./settings";

export function SettingsProvider({ children }: { children: ReactNode }) {
  const [settings, setSettings] = useState(load);
  const change = useCallback((part: Partial<Settings>) => {
    setSettings((old) => ({ ...old, ...part }));
  }, []);
  useEffect(() => {
    save(settings);
    document.documentElement.lang = settings.language;
    document.documentElement.dataset["theme"] = settings.theme;
  }, [settings]);
  const chosen = useMemo<Chosen>(
    () => ({
      ...settings,
      texts: dictionaries[settings.language],
      url: serverUrl(settings),
      change,
    }),
    [settings, change],
  );
  return <SettingsContext value={chosen}>{children}</SettingsContext>;
}
