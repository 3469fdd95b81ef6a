/** The totals of some days: over time, by age group, stays, and compared with others. */
import { useEffect, useState } from "react";
import { useSettings } from "../app/settings";
import type { Audience, LiveAudience } from "../api/types";
import type { Days } from "../api/watch";
import { Chart } from "../charts/Chart";
import { figureText, totalOf } from "../charts/figures";
import { FailureBox } from "../ui/FailureBox";
import { count, percent } from "../ui/numbers";
import { Comparison } from "./Comparison";
import { Csv } from "./Csv";
import { agesData, timeData } from "./data";
import { unlikeShare, untranslated } from "./notes";
import { dateIn, daysOf, lengthOf, stepsOf } from "./period";
import { knownPlaces } from "./places";
import { type Asked, OverTime, Question } from "./Question";
import { Stays } from "./Stays";
import { useTotals } from "./useTotals";

// Today's totals are asked for again so often, in milliseconds.
const AGAIN = 60_000;

interface Props {
  base: Audience;
  live: LiveAudience | null;
}

export function Totals({ base, live }: Props) {
  const { texts, language } = useSettings();
  const words = texts.audience;
  const { zone, groups } = base;
  const turn = useTurn();
  const today = dateIn(zone, live ? new Date(live.time) : new Date());
  const [asked, setAsked] = useState<Asked>(() => ({
    period: "today",
    custom: { from: today, to: today },
    place: "",
    group: "",
    step: null,
  }));
  const days = useValid(daysOf(asked.period, today, asked.custom));
  const steps = stepsOf(days);
  const step = asked.step && steps.includes(asked.step) ? asked.step : (steps[0] ?? "day");
  const { place, group } = asked;
  const { answered, busy, failure, retry } = useTotals(
    { days, place, group, step },
    days.to >= today ? turn : 0,
  );
  const places = knownPlaces(live, [...base.rows, ...(answered?.areas ?? [])]);
  const reader = { texts, language, zone };
  const change = (part: Partial<Asked>) => setAsked((old) => ({ ...old, ...part }));
  const some = answered !== null && answered.areas.length > 0;
  return (
    <section className="totals" aria-label={words.period.title} aria-busy={busy}>
      <div className="card question-card">
        <Question asked={asked} places={places} zone={zone} onChange={change} />
        <Csv days={days} step={step} />
      </div>
      {failure && <FailureBox failure={failure} onRetry={retry} />}
      {!answered && !failure && (
        <div className="charts" aria-hidden="true">
          <div className="card chart-to-come" />
          <div className="card chart-to-come" />
        </div>
      )}
      {answered && (
        <p className={some ? "total-line" : "muted"} aria-live="polite">
          {some
            ? words.charts.total(figureText(totalOf(answered.areas), words, language))
            : words.noVisits}
        </p>
      )}
      {days.to >= today && base.k > 1 && (
        <p className="hint">{words.period.over(count(base.k, language))}</p>
      )}
      {answered && <Notes notes={answered.notes} />}
      {some && (
        <>
          <div className="charts">
            <div className="card">
              <Chart
                title={words.charts.when}
                data={timeData(answered.time, answered, reader)}
                aside={
                  <OverTime
                    asked={asked}
                    step={step}
                    steps={steps}
                    groups={groups}
                    onChange={change}
                  />
                }
              />
            </div>
            <div className="card">
              <Chart title={words.charts.ages} data={agesData(answered.ages, groups, reader)} />
            </div>
          </div>
          <Stays rows={answered.areas} apart={answered.place ? null : answered.apart} />
          {base.k > 1 && <p className="hint">{words.hiddenNote(count(base.k, language))}</p>}
        </>
      )}
      {answered && <Comparison here={answered} places={places} groups={groups} zone={zone} />}
    </section>
  );
}

/** What must stand beside the figures; what the page has no words for stands there in English. */
function Notes({ notes }: { notes: readonly string[] }) {
  const { texts, language } = useSettings();
  const words = texts.audience;
  const unlike = unlikeShare(notes);
  const others = untranslated(notes);
  return (
    <>
      {unlike !== null && (
        <p className="result wrong small" role="alert">
          {words.unlike(percent(unlike / 100, language))}
        </p>
      )}
      {others.length > 0 && (
        <div className="hint">
          {words.said}
          <ul className="said" lang="en">
            {others.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

/** A number that grows once a minute. */
function useTurn(): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTurn((old) => old + 1), AGAIN);
    return () => clearInterval(timer);
  }, []);
  return turn;
}

/** The newest days that make sense, while others are being typed. */
function useValid(days: Days): Days {
  const [valid, setValid] = useState(days);
  const fresh = lengthOf(days) > 0 ? days : valid;
  if (fresh.from !== valid.from || fresh.to !== valid.to) setValid(fresh);
  return fresh;
}
