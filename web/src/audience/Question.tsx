/** Which days, area and age group are shown, and by what they are parted. */
import { useId } from "react";
import { useSettings } from "../app/settings";
import type { Days } from "../api/watch";
import { titled } from "../texts";
import { Select } from "../ui/Select";
import { PERIODS, type Period, type Step, lengthOf } from "./period";
import { type Place, placeKey, placeName } from "./places";

export interface Asked {
  period: Period;
  custom: Days;
  /** A place's key; empty for all. */
  place: string;
  /** An age group; empty for all. */
  group: string;
  /** Null for the period's usual step. */
  step: Step | null;
}

interface Props {
  asked: Asked;
  places: readonly Place[];
  zone: string;
  onChange: (part: Partial<Asked>) => void;
}

export function Question({ asked, places, zone, onChange }: Props) {
  const { texts } = useSettings();
  const words = texts.audience.period;
  return (
    <div className="question">
      <Field label={words.label}>
        <Select<Period>
          label={words.label}
          value={asked.period}
          options={PERIODS.map((name) => [name, words[name]])}
          onChange={(period) => onChange({ period, step: null })}
        />
      </Field>
      {asked.period === "custom" && (
        <DaysFields days={asked.custom} onChange={(custom) => onChange({ custom, step: null })} />
      )}
      <Field label={words.area}>
        <Select
          label={words.area}
          value={asked.place}
          options={[
            ["", texts.audience.all],
            ...places.map((place) => [placeKey(place), placeName(place, texts)] as const),
          ]}
          onChange={(place) => onChange({ place })}
        />
      </Field>
      <p className="hint">{words.zone(zone)}</p>
    </div>
  );
}

interface StepProps {
  asked: Asked;
  step: Step;
  steps: readonly Step[];
  groups: readonly string[];
  onChange: (part: Partial<Asked>) => void;
}

/** Beside the chart over time: of which age group it is, and by what it goes. */
export function OverTime({ asked, step, steps, groups, onChange }: StepProps) {
  const { texts } = useSettings();
  const words = texts.audience.period;
  const names = { hour: words.hour, day: words.day, week: words.week_ };
  return (
    <span className="question small">
      <Select
        label={words.group}
        value={asked.group}
        options={[
          ["", words.everyone],
          ...groups.map((group) => [group, titled(texts, group)] as const),
        ]}
        onChange={(group) => onChange({ group })}
      />
      {steps.length > 1 && (
        <Select<Step>
          label={words.by}
          value={step}
          options={steps.map((name) => [name, names[name]])}
          onChange={(chosen) => onChange({ step: chosen })}
        />
      )}
    </span>
  );
}

export function DaysFields({ days, onChange }: { days: Days; onChange: (days: Days) => void }) {
  const { texts } = useSettings();
  const words = texts.audience.period;
  const id = useId();
  const wrong = lengthOf(days) === 0;
  return (
    <>
      {(["from", "to"] as const).map((end) => (
        <span key={end} className="field">
          <label htmlFor={`${id}-${end}`}>{words[end]}</label>
          <input
            id={`${id}-${end}`}
            type="date"
            value={days[end]}
            aria-invalid={wrong}
            onChange={(event) => onChange({ ...days, [end]: event.target.value })}
          />
        </span>
      ))}
      {wrong && (
        <p className="hint wrong" role="alert">
          {words.wrong}
        </p>
      )}
    </>
  );
}

export function Field({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <span className="field">
      <span aria-hidden="true">{label}</span>
      {children}
    </span>
  );
}
