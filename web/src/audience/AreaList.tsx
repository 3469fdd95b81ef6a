/** The areas by name: which counts first, what they are called, and which are passed over. */
import { useId } from "react";
import { useSettings } from "../app/settings";
import type { Area } from "../api/types";
import { Icon } from "../ui/Icon";
import type { AreaProblem, Edit, Editing } from "./editing";

interface Props {
  state: Editing;
  problems: readonly (AreaProblem | null)[];
  act: (step: Edit) => void;
}

export function AreaList({ state: { areas, selected }, problems, act }: Props) {
  const words = useSettings().texts.audience.areas;
  return (
    <>
      <h3>{words.list}</h3>
      {areas.length === 0 && <p className="muted">{words.empty}</p>}
      <ol className="area-list">
        {areas.map((area, n) => (
          <Row
            // Areas have no name of their own that lasts; their place is what they are known by.
            key={n}
            area={area}
            index={n}
            selected={selected === n}
            problem={problems[n] ?? null}
            act={act}
          />
        ))}
      </ol>
    </>
  );
}

interface RowProps {
  area: Area;
  index: number;
  selected: boolean;
  problem: AreaProblem | null;
  act: (step: Edit) => void;
}

function Row({ area, index, selected, problem, act }: RowProps) {
  const words = useSettings().texts.audience.areas;
  const id = useId();
  return (
    <li className={selected ? "selected" : undefined}>
      <div className="area-name">
        <label className="unseen" htmlFor={`${id}-name`}>
          {words.name}
        </label>
        <input
          id={`${id}-name`}
          value={area.name}
          maxLength={60}
          aria-invalid={problem !== null}
          aria-describedby={problem ? `${id}-problem` : undefined}
          onFocus={() => act({ do: "select", area: index })}
          onChange={(event) => act({ do: "rename", area: index, name: event.target.value })}
        />
        <button
          type="button"
          className="plain"
          disabled={index === 0}
          aria-label={`${words.raise}: ${area.name}`}
          title={words.raise}
          onClick={() => act({ do: "raise", area: index })}
        >
          <Icon name="up" />
        </button>
        <button
          type="button"
          className="plain"
          aria-label={`${words.remove}: ${area.name}`}
          title={words.remove}
          onClick={() => act({ do: "remove", area: index })}
        >
          <Icon name="close" />
        </button>
      </div>
      {problem && (
        <p id={`${id}-problem`} className="hint wrong">
          {words.problems[problem]}
        </p>
      )}
      <label className="switch">
        <input
          type="checkbox"
          checked={area.ignore}
          onChange={(event) => act({ do: "ignore", area: index, ignore: event.target.checked })}
        />
        {words.ignore}
      </label>
    </li>
  );
}
