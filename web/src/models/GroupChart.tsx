/** One figure for each group, as bars with intervals where the card has them. */
import type { Metric } from "../api/types";
import { useSettings } from "../app/settings";
import { titled } from "../texts";
import { count } from "../ui/numbers";
import { shown } from "./figure";
import { inYears } from "./metrics";

interface Props {
  by: string;
  figure: string;
  metrics: Metric[];
}

export function GroupChart({ by, figure, metrics }: Props) {
  const { texts, language } = useSettings();
  const end = inYears(figure) ? Math.max(...metrics.map((m) => m.high ?? m.value)) * 1.05 : 1;
  const known: Record<string, string> = texts.models.by;
  const place = (value: number) => `${Math.max(0, Math.min(1, value / end)) * 100}%`;
  const title = known[by] ?? by;
  return (
    <figure>
      <figcaption>
        {title} <span className="muted">{texts.metrics[figure] ?? figure}</span>
      </figcaption>
      <ul className="bars" aria-label={title}>
        {metrics.map(({ group, value, low, high, pictures }) => (
          <li key={group} title={texts.models.groupOf(count(pictures, language))}>
            <span className="bar-name">{titled(texts, group)}</span>
            <span className="bar tall" aria-hidden="true">
              <span style={{ width: place(value) }} />
              {typeof low === "number" && typeof high === "number" && (
                <i style={{ left: place(low), width: place(high - low) }} />
              )}
            </span>
            <span className="bar-value">
              {shown(figure, value, language)}
              <small className="muted"> · {texts.models.groupOf(count(pictures, language))}</small>
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
