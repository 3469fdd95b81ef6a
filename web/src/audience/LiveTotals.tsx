/** Today's totals of each area, as they come. */
import { useSettings } from "../app/settings";
import type { LiveAudience, LiveTotal } from "../api/types";
import type { LinkState } from "../api/watch";
import { stepText } from "../charts/figures";
import { titled } from "../texts";
import { count } from "../ui/numbers";
import { timeText } from "./moments";
import { areaName } from "./places";

interface Props {
  live: LiveAudience | null;
  state: LinkState;
  zone: string;
}

export function LiveTotals({ live, state, zone }: Props) {
  const { texts, language } = useSettings();
  const words = texts.audience.live;
  const time = live && timeText(live.time, language, zone);
  return (
    <section aria-labelledby="audience-live">
      <div className="section-head">
        <h2 id="audience-live">{words.title}</h2>
        <span className={`link ${state}`} role="status">
          {words.link[state]}
        </span>
        {time && <span className="hint">{words.at(time)}</span>}
      </div>
      {live && <Trouble live={live} />}
      {live?.totals.length === 0 && <p className="muted">{words.nothing}</p>}
      <div className="tiles">
        {!live && <div className="card tile" aria-hidden="true" />}
        {live?.totals.map((total) => (
          <Tile key={`${total.camera}/${total.area}`} total={total} k={live.k} />
        ))}
      </div>
      {live && live.k > 1 && <p className="hint">{words.steps(count(live.k, language))}</p>}
    </section>
  );
}

function Tile({ total, k }: { total: LiveTotal; k: number }) {
  const { texts, language } = useSettings();
  const words = texts.audience.live;
  const ages = Object.entries(total.ages);
  const most = Math.max(1, ...ages.map(([, visits]) => visits));
  return (
    <article className="card tile" aria-label={`${areaName(total.area, texts)}, ${total.camera}`}>
      <h3>
        {areaName(total.area, texts)} <span className="muted">{total.camera}</span>
      </h3>
      <dl className="tile-figures">
        <div>
          <dt>{words.today}</dt>
          <dd>{stepText(total.visits, k, language)}</dd>
        </div>
        <div>
          <dt>{words.present}</dt>
          <dd>{stepText(total.present, k, language)}</dd>
        </div>
      </dl>
      <ul className="tile-ages" aria-label={words.ages}>
        {ages.map(([group, visits]) => (
          <li key={group}>
            <span className="column" aria-hidden="true">
              <i style={{ height: `${(visits / most) * 100}%` }} />
            </span>
            <span>{stepText(visits, k, language)}</span>
            <span className="muted">{titled(texts, group)}</span>
          </li>
        ))}
      </ul>
    </article>
  );
}

/** What stands between visits and their totals. */
function Trouble({ live: { recorder, problem } }: { live: LiveAudience }) {
  const { texts, language } = useSettings();
  const words = texts.audience.live;
  return (
    <>
      {problem && (
        <p className="result wrong small" role="alert">
          {words.old} <span lang="en">{problem}</span>
        </p>
      )}
      {recorder?.problem && (
        <p className="result wrong small" role="alert">
          {words.problem} <span lang="en">{recorder.problem}</span>{" "}
          {recorder.waiting + recorder.held > 0 &&
            words.waiting(count(recorder.waiting + recorder.held, language))}
        </p>
      )}
      {recorder !== null && recorder.lost > 0 && (
        <p className="result wrong small" role="alert">
          {words.lost(count(recorder.lost, language))}
        </p>
      )}
    </>
  );
}
