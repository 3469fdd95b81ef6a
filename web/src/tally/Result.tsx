/** What a finished tally says of the door. */
import { useSettings } from "../app/settings";
import type { TallyResult } from "../api/types";
import { placeName } from "../audience/places";
import { DoorFigures } from "../audience/Trust";
import { titled } from "../texts";
import { count } from "../ui/numbers";

interface Props {
  result: TallyResult;
  onAgain: () => void;
}

export function Result({ result: { taps, people, visits, door }, onAgain }: Props) {
  const { texts, language } = useSettings();
  const words = texts.tally.done;
  const number = (n: number) => count(n, language);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <section className="card tally-result" aria-labelledby="tally-result">
      <h2 id="tally-result">{words.title}</h2>
      <p>
        {placeName(door, texts)}: {words.compared(number(people), number(visits))}
      </p>
      <p className="hint">
        {Object.entries(taps)
          .map(([group, n]) => `${titled(texts, group)} ${number(n)}`)
          .join(" · ")}
      </p>
      <DoorFigures door={door} zone={zone} />
      <div className="actions">
        <a className="button" href="#/audience">
          {words.audience}
        </a>
        <button type="button" onClick={onAgain}>
          {words.again}
        </button>
      </div>
    </section>
  );
}
