/** A choice from a short list, with a label that only screen readers see. */
interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

export function Select<T extends string>({ label, value, options, onChange }: Props<T>) {
  const choose = (text: string) => {
    const found = options.find(([name]) => name === text);
    if (found) onChange(found[0]);
  };
  return (
    <select aria-label={label} title={label} value={value} onChange={(e) => choose(e.target.value)}>
      {options.map(([name, shown]) => (
        <option key={name} value={name}>
          {shown}
        </option>
      ))}
    </select>
  );
}
