/** An age on a scale of years, drawn with its interval and the borders of the age groups. */
import type { Age } from "../api/types";
import { useSettings } from "../app/settings";
import { decimal } from "../ui/numbers";

// Old people's intervals end beyond 100.
const OLDEST = 120;
const TICKS = [0, 20, 40, 60, 80, 100, 120];

/** A place on the scale, in percent of its length. */
function place(years: number): string {
  return `${Math.min(100, Math.max(0, (years / OLDEST) * 100))}%`;
}

export function AgeScale({ age }: { age: Age }) {
  const { texts, language } = useSettings();
  const years = decimal(age.years, language, 1);
  const [low, high] = [Math.round(age.low), Math.round(age.high)];
  const width = Math.min(OLDEST, age.high) - Math.max(0, age.low);
  return (
    <div className="age">
      <p className="age-words">
        <span>
          {texts.face.years(years)} <span className="muted">({texts.face.interval(low, high)})</span>
        </span>
        <span className="muted">{texts.face.level(Math.round(age.level * 100))}</span>
      </p>
      <div className="scale" role="img" aria-label={texts.face.scale(years, low, high)}>
        <div className="scale-range" style={{ left: place(age.low), width: place(width) }} />
        <div className="scale-point" style={{ left: place(age.years) }} />
        {TICKS.map((tick) => (
          <span key={tick} className="scale-tick" style={{ left: place(tick) }}>
            {tick}
          </span>
        ))}
      </div>
    </div>
  );
}
