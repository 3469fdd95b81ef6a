/** The page as a whole: the head, and the part that the address names. */
import { useEffect, useRef, useState } from "react";
import { ClassifyPage } from "../classify/ClassifyPage";
import { LivePage } from "../live/LivePage";
import { ModelsPage } from "../models/ModelsPage";
import { PhotoPage } from "../photo/PhotoPage";
import { Header } from "./Header";
import { Part } from "./Part";
import { type Page, usePage } from "./route";
import { useTexts } from "./settings";

/** The camera goes off with its part; the others keep what they show while another is looked at. */
const LEFT_BEHIND: readonly Page[] = ["live"];

const PARTS: Record<Page, React.JSX.Element> = {
  photo: <PhotoPage />,
  live: <LivePage />,
  classify: <ClassifyPage />,
  models: <ModelsPage />,
};

export function App() {
  const texts = useTexts();
  const page = usePage();
  const kept = useKept(page);
  const heading = useHeading(page);
  const title = page ? texts.titles[page] : texts.notFound;
  useEffect(() => {
    document.title = `${title} · mien`;
  }, [title]);
  return (
    <>
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          heading.current?.focus();
        }}
      >
        {texts.skip}
      </a>
      <Header page={page} />
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {kept.map((name) => (
          <Part key={name} shown={name === page}>
            {PARTS[name]}
          </Part>
        ))}
      </main>
    </>
  );
}

/** The parts that are there: the one that is shown, and those that were and keep what they show. */
function useKept(page: Page | null): readonly Page[] {
  const [seen, setSeen] = useState<readonly Page[]>([]);
  if (page && !seen.includes(page)) setSeen([...seen, page]);
  return seen.filter((name) => name === page || !LEFT_BEHIND.includes(name));
}

/** The heading, which takes the focus when another page is shown, so that it is read aloud. */
function useHeading(page: Page | null) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(page);
  useEffect(() => {
    if (shown.current === page) return;
    shown.current = page;
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [page]);
  return heading;
}
