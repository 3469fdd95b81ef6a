/** A chart under the question that it answers, with its legend and the same as a table. */
import { type ReactNode, Suspense, lazy, useId, useState } from "react";
import { useSettings } from "../app/settings";
import { figureText } from "./figures";
import { count } from "../ui/numbers";
import { useShownWidth } from "../ui/size";
import { Wide } from "../ui/Wide";
import { type ChartData, hides } from "./chart";

// The library comes when the first chart is shown.
const BarChart = lazy(() => import("./BarChart"));

interface Props {
  title: string;
  data: ChartData;
  /** Stands beside the title. */
  aside?: ReactNode;
  level?: 2 | 3;
}

export function Chart({ title, data, aside, level = 2 }: Props) {
  const { texts, language } = useSettings();
  const { element, width } = useShownWidth<HTMLDivElement>();
  const [active, setActive] = useState<number | null>(null);
  const id = useId();
  const Heading = `h${level}` as const;
  return (
    <figure className="chart" aria-labelledby={id}>
      <div className="chart-head">
        <Heading id={id}>{title}</Heading>
        {aside}
      </div>
      <Legend data={data} />
      <div ref={element} className="chart-space">
        {width > 0 && (
          <Suspense>
            <BarChart
              data={data}
              width={width}
              active={active}
              onActive={setActive}
              format={(value) => count(value, language)}
            />
          </Suspense>
        )}
      </div>
      <p className="hint readout" aria-hidden="true">
        {readout(data, active, (figure) => figureText(figure, texts.audience, language)) ??
          texts.audience.charts.readHint}
      </p>
      <details>
        <summary>{texts.audience.charts.table}</summary>
        <ChartTable data={data} title={title} />
      </details>
    </figure>
  );
}

function readout(
  { slots, series }: ChartData,
  active: number | null,
  text: (figure: ChartData["series"][number]["figures"][number]) => string,
): string | null {
  const slot = active === null ? undefined : slots[active];
  if (active === null || !slot) return null;
  const parts = series.flatMap(({ name, figures }) => {
    const figure = figures[active];
    return figure ? [`${name} ${text(figure)}`] : [];
  });
  return `${slot.long}: ${parts.join(" · ")}`;
}

function Legend({ data }: { data: ChartData }) {
  const { texts } = useSettings();
  const words = texts.audience.charts;
  const hidden = hides(data);
  const intervals = data.series.some(({ figures }) => figures.some(({ low }) => low !== null));
  return (
    <ul className="legend">
      {data.series.map(({ name, tone }) => (
        <li key={tone}>
          <i className={`swatch ${tone}`} aria-hidden="true" />
          {name}
        </li>
      ))}
      {(hidden.whole || hidden.part) && (
        <li>
          <i className="swatch hatched" aria-hidden="true" />
          {[hidden.whole && words.hidden, hidden.part && words.atLeast].filter(Boolean).join(", ")}
        </li>
      )}
      {intervals && <li className="muted">{words.interval}</li>}
    </ul>
  );
}

/** The same as numbers: for screen readers, and for whoever wants them exactly. */
function ChartTable({ data: { slot, slots, series }, title }: { data: ChartData; title: string }) {
  const { texts, language } = useSettings();
  return (
    <Wide label={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">{slot}</th>
            {series.map(({ name, tone }) => (
              <th key={tone} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {slots.map(({ key, long }, n) => (
            <tr key={key}>
              <th scope="row">{long}</th>
              {series.map(({ tone, figures }) => {
                const figure = figures[n];
                return (
                  <td key={tone} className="number">
                    {figure && figureText(figure, texts.audience, language)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}
