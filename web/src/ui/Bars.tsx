/** Probabilities as bars, in the order they come. */
import { useSettings } from "../app/settings";
import { percent } from "./numbers";

interface Props {
  label: string;
  bars: readonly (readonly [string, number])[];
  digits?: number;
}

export function Bars({ label, bars, digits = 0 }: Props) {
  const { language } = useSettings();
  const best = Math.max(...bars.map(([, share]) => share));
  return (
    <ul className="bars" aria-label={label}>
      {bars.map(([name, share]) => (
        <li key={name} className={share === best ? "best" : undefined}>
          <span className="bar-name">{name}</span>
          <span className="bar" aria-hidden="true">
            <span style={{ width: `${share * 100}%` }} />
          </span>
          <span className="bar-value">{percent(share, language, digits)}</span>
        </li>
      ))}
    </ul>
  );
}
