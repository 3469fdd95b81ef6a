/** How long visitors stay in each area, and how many were there at once. */
import { useSettings } from "../app/settings";
import type { Audience, AudienceRow } from "../api/types";
import { figureOf, figureText, stayText } from "../charts/figures";
import { count, decimal } from "../ui/numbers";
import { Wide } from "../ui/Wide";
import { areaName } from "./places";

interface Props {
  rows: readonly AudienceRow[];
  /** What was counted apart; null where it is not known for what is shown. */
  apart: Audience["apart"] | null;
}

export function Stays({ rows, apart }: Props) {
  const { texts, language } = useSettings();
  const words = texts.audience.stays;
  const longest = Math.max(1, ...rows.map(({ dwell_p90: end }) => end ?? 0));
  const stay = (seconds: number | null) => stayText(seconds, language, words);
  const tallied = rows.some(({ passed }) => passed);
  return (
    <section className="card" aria-labelledby="audience-stays">
      <h2 id="audience-stays">{words.title}</h2>
      <Wide label={words.title}>
        <table className="stays">
          <thead>
            <tr>
              <th scope="col">{words.area}</th>
              <th scope="col" className="number">
                {words.visits}
              </th>
              {tallied && (
                <th scope="col" className="number">
                  {words.passed}
                </th>
              )}
              <th scope="col" className="number">
                {words.median}
              </th>
              <th scope="col" className="number">
                {words.p90}
              </th>
              <th scope="col" aria-hidden="true" />
              <th scope="col" className="number">
                {words.peak}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.camera}/${row.area}`}>
                <th scope="row">
                  {areaName(row.area ?? "", texts)} <span className="muted">{row.camera}</span>
                </th>
                <td className="number">
                  {figureText(figureOf(row, "visits"), texts.audience, language)}
                </td>
                {tallied && (
                  <td className="number">
                    {row.passed
                      ? figureText(figureOf(row, "passed"), texts.audience, language)
                      : words.none}
                  </td>
                )}
                <td className="number">{stay(row.dwell)}</td>
                <td className="number">{stay(row.dwell_p90)}</td>
                <td className="stay-cell" aria-hidden="true">
                  <StayBar median={row.dwell} end={row.dwell_p90} longest={longest} />
                </td>
                <td className="number">
                  {row.peak === null ? words.none : decimal(row.peak, language, 1)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <p className="hint">
        {words.peakHint}{" "}
        {apart && words.apart(count(apart.still, language), count(apart.long, language))}
      </p>
    </section>
  );
}

interface BarProps {
  median: number | null;
  end: number | null;
  longest: number;
}

/** From nothing to what 90 % do not exceed, with a mark at the median. */
function StayBar({ median, end, longest }: BarProps) {
  if (median === null || end === null) return null;
  const place = (seconds: number) => `${(seconds / longest) * 100}%`;
  return (
    <span className="stay-bar">
      <span style={{ width: place(end) }} />
      <i style={{ left: place(median) }} />
    </span>
  );
}
