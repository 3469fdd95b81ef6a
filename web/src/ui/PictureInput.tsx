/** Takes pictures: dropped anywhere, chosen, pasted, or taken by the camera. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useShown } from "../app/Part";
import { useTexts } from "../app/settings";
import { CameraDialog } from "./CameraDialog";
import { Icon } from "./Icon";
import { sortFiles } from "./pictures";

interface Props {
  several: boolean;
  compact: boolean;
  onPictures: (pictures: File[]) => void;
  children?: ReactNode;
}

export function PictureInput({ several, compact, onPictures, children }: Props) {
  const texts = useTexts();
  const chooser = useRef<HTMLInputElement>(null);
  const [taking, setTaking] = useState(false);
  const [others, setOthers] = useState<string[]>([]);
  const take = (files: Iterable<File>) => {
    const sorted = sortFiles(files);
    setOthers(sorted.others);
    const pictures = several ? sorted.pictures : sorted.pictures.slice(0, 1);
    if (pictures.length) onPictures(pictures);
  };
  const over = useDropsAndPastes(take);
  const invitation = several ? texts.input.drop : texts.input.dropOne;
  return (
    <section className={`input${compact ? " compact" : ""}${over ? " over" : ""}`}>
      <p className="invitation">
        <strong>{over ? texts.input.dropping : invitation}</strong>
        <span>{texts.input.or}</span>
      </p>
      <div className="actions">
        <button type="button" className="main" onClick={() => chooser.current?.click()}>
          <Icon name="picture" />
          {texts.input.choose}
        </button>
        <button type="button" onClick={() => setTaking(true)}>
          <Icon name="camera" />
          {texts.input.take}
        </button>
        {children}
      </div>
      <input
        ref={chooser}
        type="file"
        accept="image/*"
        multiple={several}
        hidden
        aria-label={texts.input.choose}
        onChange={(event) => {
          take(event.target.files ?? []);
          // So that the same picture can be chosen again.
          event.target.value = "";
        }}
      />
      <p className="hint" role="status">
        {others.length > 0 && texts.input.notPictures(others.join(", "))}
      </p>
      {taking && (
        <CameraDialog
          onPicture={(picture) => {
            setTaking(false);
            take([picture]);
          }}
          onClose={() => setTaking(false)}
        />
      )}
    </section>
  );
}

/** Hand over files that are dropped or pasted anywhere on the page; say whether some hang over it. */
function useDropsAndPastes(take: (files: Iterable<File>) => void): boolean {
  const shown = useShown();
  const [over, setOver] = useState(false);
  const taker = useRef(take);
  useEffect(() => {
    taker.current = take;
  });
  useEffect(() => {
    if (!shown) return;
    const listening = new AbortController();
    const { signal } = listening;
    const onDrag = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(event.type === "dragover");
      if (event.type === "drop") taker.current(event.dataTransfer.files);
    };
    for (const type of ["dragover", "drop"] as const) {
      document.addEventListener(type, onDrag, { signal });
    }
    document.addEventListener(
      "dragleave",
      (event) => {
        if (event.relatedTarget === null) setOver(false);
      },
      { signal },
    );
    document.addEventListener(
      "paste",
      (event) => {
        const files = event.clipboardData?.files;
        if (files?.length) taker.current(files);
      },
      { signal },
    );
    return () => listening.abort();
  }, [shown]);
  return over;
}
