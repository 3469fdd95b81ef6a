/** What tallies say of each door, and what must stand beside the figures. */
import { useCallback } from "react";
import { useSettings } from "../app/settings";
import { useWatch } from "../app/watch";
import type { Audience, Door, Estimate, LiveAudience } from "../api/types";
import { type Language, type Texts, titled } from "../texts";
import { FailureBox } from "../ui/FailureBox";
import { Icon } from "../ui/Icon";
import { count, decimal, percent } from "../ui/numbers";
import { useLoaded } from "../ui/useLoaded";
import { dayText } from "./moments";
import { knownPlaces, placeKey, placeName } from "./places";

interface Props {
  base: Audience;
  live: LiveAudience | null;
}

export function Trust({ base, live }: Props) {
  const { texts } = useSettings();
  const words = texts.audience.trust;
  const service = useWatch();
  const load = useCallback((signal: AbortSignal) => service.tallies(signal), [service]);
  const { value: tallies, failure, retry } = useLoaded(load);
  const doors = new Set(tallies?.doors.map(placeKey));
  const places = knownPlaces(live, [...base.rows]);
  const uncalibrated = tallies ? places.filter((place) => !doors.has(placeKey(place))) : [];
  return (
    <section className="card trust" aria-labelledby="audience-trust">
      <div className="section-head">
        <h2 id="audience-trust">{words.title}</h2>
        <a className="button" href="#/tally">
          <Icon name="tally" />
          {words.tally}
        </a>
      </div>
      {!base.corrected && <p>{words.byCard}</p>}
      {failure && <FailureBox failure={failure} onRetry={retry} />}
      <ul className="doors">
        {tallies?.doors.map((door) => (
          <li key={placeKey(door)}>
            <h3>{placeName(door, texts)}</h3>
            <DoorFigures door={door} zone={base.zone} />
          </li>
        ))}
      </ul>
      {uncalibrated.length > 0 && (
        <div>
          <p>
            <span className="state stalled">{words.notCalibrated}:</span>{" "}
            {uncalibrated.map((place) => placeName(place, texts)).join(" · ")}
          </p>
          <p className="hint">{words.notCalibratedHint}</p>
        </div>
      )}
    </section>
  );
}

/** A door's capture rate, and by how much its ages lean. */
export function DoorFigures({ door, zone }: { door: Door; zone: string }) {
  const { texts, language } = useSettings();
  const words = texts.audience.trust;
  const share = (value: number) => percent(value, language);
  const { capture, drift, older, slope } = door;
  const leans = older.low > 0 || older.high < 0;
  const [near = 0, far = 0] = [Math.abs(older.low), Math.abs(older.high)].sort((a, b) => a - b);
  const ends = [near, far].map((end) => count(Math.round(end), language)) as [string, string];
  const drifted = drift && (drift.low > 0 || drift.high < 0);
  return (
    <div className="door">
      <p>
        <strong>{words.capture(share(capture.value), share(capture.low), share(capture.high))}</strong>
      </p>
      <p className="hint">
        {words.basis(
          count(door.people, language),
          count(door.tallies, language),
          dayText(door.newest, language, zone),
        )}
      </p>
      {leans && (
        <p className="hint">
          {(older.value > 0 ? words.older : words.younger)(
            count(Math.round(Math.abs(older.value)), language),
            ...ends,
          )}
        </p>
      )}
      {(slope.high < 1 || slope.low > 1) && (
        <p className="hint">
          {(slope.high < 1 ? words.together : words.apart)(
            decimal(slope.value * 10, language, 1),
            decimal(slope.low * 10, language, 1),
            decimal(slope.high * 10, language, 1),
          )}
        </p>
      )}
      {drift && (
        <p className={drifted ? "hint wrong" : "hint"}>
          {drifted
            ? words.drift(...points(drift, language))
            : words.steady}
        </p>
      )}
      <BiasTable door={door} texts={texts} language={language} />
    </div>
  );
}

interface BiasProps {
  door: Door;
  texts: Texts;
  language: Language;
}

function BiasTable({ door, texts, language }: BiasProps) {
  const words = texts.audience.trust;
  const ends = Object.values(door.bias).flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]);
  const widest = Math.max(0.05, ...ends);
  const place = (value: number) => `${50 + (value / widest) * 48}%`;
  return (
    <table className="bias">
      <caption className="hint">{words.bias}</caption>
      <thead>
        <tr>
          <th scope="col">{words.group}</th>
          <th scope="col">{words.biasShort}</th>
          <th scope="col" aria-hidden="true" className="bias-scale-head" />
          <th scope="col" className="number">
            {words.captures}
          </th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(door.bias).map(([group, bias]) => {
          const [value, low, high] = points(bias, language);
          const capture = door.captures[group];
          return (
            <tr key={group}>
              <th scope="row">{titled(texts, group)}</th>
              <td>
                {value} <span className="muted">({words.range(low, high)})</span>
              </td>
              <td className="bias-cell" aria-hidden="true">
                <span className="bias-scale">
                  <b />
                  <i style={{ left: place(bias.low), right: `calc(100% - ${place(bias.high)})` }} />
                  <em style={{ left: place(bias.value) }} />
                </span>
              </td>
              <td className="number">
                {capture && (
                  <>
                    {percent(capture.value, language)}{" "}
                    <span className="muted">
                      ({words.range(percent(capture.low, language), percent(capture.high, language))})
                    </span>
                  </>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** A difference of shares and its ends, in percentage points with their sign. */
function points({ value, low, high }: Estimate, language: Language): [string, string, string] {
  const format = new Intl.NumberFormat(language, {
    maximumFractionDigits: 0,
    signDisplay: "exceptZero",
  });
  const text = (share: number) => format.format(share * 100);
  return [text(value), text(low), text(high)];
}
