/** The days and the area that are shown, beside others. */
import { useState } from "react";
import { useSettings } from "../app/settings";
import type { AudienceRow } from "../api/types";
import type { Days } from "../api/watch";
import { Chart } from "../charts/Chart";
import { figureText, stayText, totalOf } from "../charts/figures";
import type { Language } from "../texts";
import { FailureBox } from "../ui/FailureBox";
import { Select } from "../ui/Select";
import { Wide } from "../ui/Wide";
import { agesData, beside, comparable, timeData } from "./data";
import { before, lengthOf } from "./period";
import { type Place, placeKey, placeName, placeOf } from "./places";
import { DaysFields, Field } from "./Question";
import { type Answered, useTotals } from "./useTotals";

interface Props {
  here: Answered;
  places: readonly Place[];
  groups: readonly string[];
  zone: string;
}

const AREA = "area:";

export function Comparison({ here, places, groups, zone }: Props) {
  const { texts } = useSettings();
  const words = texts.audience.compare;
  const [other, setOther] = useState("");
  const [custom, setCustom] = useState<Days>(() => before(here.days));
  const options: [string, string][] = [
    ["", words.nothing],
    ["before", words.before],
    ["custom", words.custom],
    ...places
      .filter((place) => placeKey(place) !== here.place)
      .map((place): [string, string] => [AREA + placeKey(place), placeName(place, texts)]),
  ];
  const chosen = options.some(([key]) => key === other) ? other : "";
  const days = chosen === "before" ? before(here.days) : chosen === "custom" ? custom : here.days;
  const place = chosen.startsWith(AREA) ? chosen.slice(AREA.length) : here.place;
  return (
    <section className="card compare" aria-labelledby="audience-compare">
      <div className="section-head">
        <h2 id="audience-compare">{words.title}</h2>
        <Field label={words.with}>
          <Select label={words.with} value={chosen} options={options} onChange={setOther} />
        </Field>
        {chosen === "custom" && <DaysFields days={custom} onChange={setCustom} />}
      </div>
      {chosen !== "" && lengthOf(days) > 0 && (
        <Compared here={here} days={days} place={place} groups={groups} zone={zone} />
      )}
    </section>
  );
}

interface ComparedProps {
  here: Answered;
  days: Days;
  place: string;
  groups: readonly string[];
  zone: string;
}

function Compared({ here, days, place, groups, zone }: ComparedProps) {
  const { texts, language } = useSettings();
  const words = texts.audience.compare;
  const { answered: there, failure, retry } = useTotals({ ...here, days, place }, 0);
  if (failure) return <FailureBox failure={failure} onRetry={retry} />;
  if (!there) return <p className="muted">{texts.audience.loading}</p>;
  const reader = { texts, language, zone };
  const nameOf = (side: Answered): string => {
    const area = placeOf(side.place);
    return sideName(side.days, area ? placeName(area, texts) : texts.audience.all, language);
  };
  const names: [string, string] = [nameOf(here), nameOf(there)];
  const single = here.place !== "" && there.place !== "";
  const oneDay = [here.days, there.days].every(({ from, to }) => from === to);
  const numbered =
    here.step === "hour" && oneDay ? null : (n: number) => `${words.numbered[here.step]} ${n}`;
  return (
    <>
      <Wide label={words.title}>
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col" className="number">
                {texts.audience.stays.visits}
              </th>
              {single && (
                <>
                  <th scope="col" className="number">
                    {texts.audience.stays.median}
                  </th>
                  <th scope="col" className="number">
                    {texts.audience.stays.p90}
                  </th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            <SideRow name={names[0]} rows={here.areas} single={single} />
            <SideRow name={names[1]} rows={there.areas} single={single} />
          </tbody>
        </table>
      </Wide>
      <div className="charts">
        <Chart
          level={3}
          title={words.age}
          data={beside(
            agesData(here.ages, groups, reader),
            agesData(there.ages, groups, reader),
            names,
            "corrected",
          )}
        />
        <Chart
          level={3}
          title={words.time}
          data={beside(
            comparable(timeData(here.time, here, reader), numbered),
            comparable(timeData(there.time, there, reader), numbered),
            names,
            "raw",
          )}
        />
      </div>
      <p className="hint">{words.hint}</p>
    </>
  );
}

interface SideProps {
  name: string;
  rows: readonly AudienceRow[];
  /** Whether it is one area: a median of several cannot be told from theirs. */
  single: boolean;
}

function SideRow({ name, rows, single }: SideProps) {
  const { texts, language } = useSettings();
  const stay = (seconds: number | null | undefined) =>
    stayText(seconds ?? null, language, texts.audience.stays);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="number">{figureText(totalOf(rows), texts.audience, language)}</td>
      {single && (
        <>
          <td className="number">{stay(rows[0]?.dwell)}</td>
          <td className="number">{stay(rows[0]?.dwell_p90)}</td>
        </>
      )}
    </tr>
  );
}

/** The days of a side, and its area. */
function sideName({ from, to }: Days, place: string, language: Language): string {
  const date = (day: string) =>
    new Date(day).toLocaleDateString(language, { timeZone: "UTC", day: "numeric", month: "short" });
  return `${from === to ? date(from) : `${date(from)} – ${date(to)}`}, ${place}`;
}
