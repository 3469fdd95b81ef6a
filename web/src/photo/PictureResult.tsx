/** One picture: its boxes, its faces, and what went wrong. */
import { useMemo, useState } from "react";
import type { Picture } from "../api/types";
import { useSettings } from "../app/settings";
import { boxLines } from "../faces/words";
import { FailureBox } from "../ui/FailureBox";
import { Icon } from "../ui/Icon";
import { Downloads } from "./Downloads";
import { FaceCard } from "./FaceCard";
import { PictureView } from "./PictureView";
import type { Item } from "./items";

interface Props {
  item: Item;
  onAgain: (id: number) => void;
  onRemove: (id: number) => void;
}

export function PictureResult({ item, onAgain, onRemove }: Props) {
  const { texts } = useSettings();
  const [marked, setMarked] = useState<number | null>(null);
  const { id, name, outcome } = item;
  const picture = outcome.state === "read" ? outcome.picture : null;
  return (
    <article className="picture" aria-label={name} aria-busy={outcome.state === "reading"}>
      <header>
        <h2 title={name}>{name}</h2>
        {picture && <span className="muted">{texts.photo.faces(picture.faces.length)}</span>}
        {picture && <PictureDownloads item={item} picture={picture} />}
        <button
          type="button"
          className="plain"
          aria-label={texts.photo.remove(name)}
          title={texts.photo.remove(name)}
          onClick={() => onRemove(id)}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="picture-parts">
        <PictureView item={item} picture={picture} marked={marked} onMark={setMarked} />
        <div className="picture-faces">
          {outcome.state === "waiting" && <Skeleton text={texts.photo.waiting} />}
          {outcome.state === "reading" && <Skeleton text={texts.photo.reading} />}
          {outcome.state === "failed" && (
            <FailureBox failure={outcome.failure} onRetry={() => onAgain(id)} />
          )}
          {picture?.faces.length === 0 && (
            <p className="result wrong" role="alert">
              {texts.photo.noFace}
            </p>
          )}
          {picture?.faces.map((face, n) => (
            <FaceCard
              key={n}
              face={face}
              number={picture.faces.length > 1 ? n + 1 : null}
              marked={marked === n}
              onMark={(on) => setMarked(on ? n : null)}
            />
          ))}
        </div>
      </div>
    </article>
  );
}

function PictureDownloads({ item, picture }: { item: Item; picture: Picture }) {
  const { texts, language } = useSettings();
  const drawing = useMemo(
    () => ({
      url: item.url,
      labels: picture.faces.flatMap((face) =>
        face.box ? [{ box: face.box, lines: boxLines(face, texts, language) }] : [],
      ),
    }),
    [item.url, picture, texts, language],
  );
  return <Downloads read={[{ name: item.name, picture }]} name={item.name} drawing={drawing} />;
}

function Skeleton({ text }: { text: string }) {
  return (
    <div className="skeleton" role="status">
      <span>{text}</span>
      <i />
      <i />
      <i />
    </div>
  );
}
