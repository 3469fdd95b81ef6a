/** The head: the pages, the server, language and colours. */
import { useState } from "react";
import { LANGUAGES, type Language, dictionaries } from "../texts";
import { Icon } from "../ui/Icon";
import { Select } from "../ui/Select";
import { ServerDialog } from "./ServerDialog";
import { type Page, firstPage, menu } from "./route";
import { THEMES, type Theme, useSettings } from "./settings";

export function Header({ page }: { page: Page | null }) {
  const { texts, language, theme, server, change } = useSettings();
  const [asking, setAsking] = useState(false);
  return (
    <header className="head">
      <a className="brand" href={`#/${firstPage()}`}>
        <Icon name="mark" />
        mien
      </a>
      <nav aria-label={texts.menu}>
        {menu(firstPage()).map((name) => (
          <a key={name} href={`#/${name}`} aria-current={name === page ? "page" : undefined}>
            {texts.pages[name]}
          </a>
        ))}
      </nav>
      <div className="head-choices">
        <button type="button" className="plain" onClick={() => setAsking(true)}>
          <Icon name="server" />
          <span>{server ? new URL(server).host : texts.server.button}</span>
        </button>
        <Select<Language>
          label={texts.languageLabel}
          value={language}
          options={LANGUAGES.map((name) => [name, dictionaries[name].language])}
          onChange={(chosen) => change({ language: chosen })}
        />
        <Select<Theme>
          label={texts.theme.label}
          value={theme}
          options={THEMES.map((name) => [name, texts.theme[name]])}
          onChange={(chosen) => change({ theme: chosen })}
        />
      </div>
      {asking && <ServerDialog onClose={() => setAsking(false)} />}
    </header>
  );
}
