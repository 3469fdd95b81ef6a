/** The page as a whole: the head, and the part that the address names. */
import { useEffect, useRef } from "react";
import { ClassifyPage } from "../classify/ClassifyPage";
import { LivePage } from "../live/LivePage";
import { ModelsPage } from "../models/ModelsPage";
import { PhotoPage } from "../photo/PhotoPage";
import { Header } from "./Header";
import { type Page, usePage } from "./route";
import { useTexts } from "./settings";

const PARTS: Record<Page, React.JSX.Element> = {
  photo: <PhotoPage />,
  live: <LivePage />,
  classify: <ClassifyPage />,
  models: <ModelsPage />,
};

export function App() {
  const texts = useTexts();
  const page = usePage();
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
        {page && PARTS[page]}
      </main>
    </>
  );
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
