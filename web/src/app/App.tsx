/** The page as a whole: the head, and the part that the address names. */
import { Suspense, lazy, useEffect, useRef, useState } from "react";
import { ClassifyPage } from "../classify/ClassifyPage";
import { LivePage } from "../live/LivePage";
import { ModelsPage } from "../models/ModelsPage";
import { PhotoPage } from "../photo/PhotoPage";
import { Header } from "./Header";
import { Part } from "./Part";
import { type Page, usePage } from "./route";
import { useTexts } from "./settings";

// Few visitors of a page of photos need them, so they come when they are looked at.
const AudiencePage = lazy(() => import("../audience/AudiencePage"));
const TallyPage = lazy(() => import("../tally/TallyPage"));

interface PartOf {
  content: React.JSX.Element;
  /** Whether it keeps what it shows while another part is looked at. */
  kept: boolean;
}

/** All parts. A new one stands here and in `PAGES`; the compiler then asks for its words. */
const PARTS: Record<Page, PartOf> = {
  photo: { content: <PhotoPage />, kept: true },
  // The camera goes off with its part.
  live: { content: <LivePage />, kept: false },
  classify: { content: <ClassifyPage />, kept: true },
  models: { content: <ModelsPage />, kept: true },
  // Both listen to the service as long as they are shown.
  audience: { content: <AudiencePage />, kept: false },
  tally: { content: <TallyPage />, kept: false },
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
            <Suspense>{PARTS[name].content}</Suspense>
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
  return seen.filter((name) => name === page || PARTS[name].kept);
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
