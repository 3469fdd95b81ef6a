/** The faces that the camera sees, with all that is read from them. */
import { useTexts } from "../app/settings";
import { Attributes } from "../faces/Attributes";
import { ageOf, ageResult } from "../faces/words";
import type { Track } from "./smoothing";

export function LiveFaces({ tracks }: { tracks: Track[] }) {
  const texts = useTexts();
  if (tracks.length === 0) return null;
  return (
    <div className="card live-faces">
      <h2 className="unseen">{texts.live.facesNow}</h2>
      {tracks.map(({ id, face }) => {
        const age = ageOf(face);
        return (
          <section key={id} className="face" aria-label={texts.photo.face(id)}>
            {age && <p className="result">{ageResult(age, texts)}</p>}
            <Attributes face={face} />
          </section>
        );
      })}
    </div>
  );
}
