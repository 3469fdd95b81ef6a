/** A picture with boxes over it. */
import { useState } from "react";
import type { Picture } from "../api/types";
import { useSettings } from "../app/settings";
import { FaceBoxes } from "../faces/FaceBoxes";
import { ageOf } from "../faces/words";
import { useShownWidth } from "../ui/size";
import type { Item } from "./items";

interface Props {
  item: Item;
  picture: Picture | null;
  marked: number | null;
  onMark: (face: number | null) => void;
}

export function PictureView({ item, picture, marked, onMark }: Props) {
  const { texts } = useSettings();
  const [broken, setBroken] = useState(false);
  const { element, width } = useShownWidth<HTMLElement>();
  if (broken) return <p className="hint picture-view">{picture && texts.photo.cannotShow}</p>;
  const boxes = (picture?.faces ?? []).flatMap(({ box }, n) =>
    box ? [{ key: n, box, lines: linesOf(picture, n), marked: marked === n }] : [],
  );
  const find = (event: React.MouseEvent) => {
    if (picture) onMark(faceAt(picture, event));
  };
  return (
    <figure
      ref={element}
      className="picture-view"
      onMouseMove={find}
      onMouseLeave={() => onMark(null)}
    >
      <img src={item.url} alt={texts.photo.picture(item.name)} onError={() => setBroken(true)} />
      {picture && (
        <FaceBoxes
          width={picture.width}
          height={picture.height}
          shownWidth={width}
          boxes={boxes}
          label={texts.photo.faces(boxes.length)}
        />
      )}
    </figure>
  );
}

/** What stands at a box: the age, before it the number of the face where there are several. */
function linesOf(picture: Picture | null, n: number): string[] {
  const face = picture?.faces[n];
  if (!picture || !face) return [];
  const age = ageOf(face);
  const words = age ? `${Math.round(age.years)} (${Math.round(age.low)}–${Math.round(age.high)})` : "";
  const line = picture.faces.length > 1 ? `${n + 1}: ${words}`.replace(/: $/, "") : words;
  return line ? [line] : [];
}

/** The number of the face under the pointer: the smallest, should there be several. */
function faceAt(picture: Picture, event: React.MouseEvent): number | null {
  const shown = event.currentTarget.getBoundingClientRect();
  const x = ((event.clientX - shown.left) / shown.width) * picture.width;
  const y = ((event.clientY - shown.top) / shown.height) * picture.height;
  const inside = picture.faces.findLastIndex(
    ({ box }) =>
      box && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height,
  );
  return inside < 0 ? null : inside;
}
