/** One face of a picture: the blue result, and all that it rests on. */
import type { Face } from "../api/types";
import { useTexts } from "../app/settings";
import { Attributes } from "../faces/Attributes";
import { ageOf, ageResult } from "../faces/words";

interface Props {
  face: Face;
  /** Its number in the picture; null where it is the only one. */
  number: number | null;
  marked: boolean;
  onMark: (on: boolean) => void;
}

export function FaceCard({ face, number, marked, onMark }: Props) {
  const texts = useTexts();
  const age = ageOf(face);
  return (
    <section
      className={marked ? "face marked" : "face"}
      aria-label={texts.photo.face(number ?? 1)}
      onMouseEnter={() => onMark(true)}
      onMouseLeave={() => onMark(false)}
    >
      {number !== null && <h3 className="face-number">{texts.photo.face(number)}</h3>}
      {age && <p className="result">{ageResult(age, texts)}</p>}
      <Attributes face={face} />
    </section>
  );
}
