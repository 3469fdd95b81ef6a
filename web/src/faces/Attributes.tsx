/** All that was read from one face. */
import type { Attribute, Face } from "../api/types";
import { useSettings } from "../app/settings";
import { titled, word } from "../texts";
import { Bars } from "../ui/Bars";
import { decimal } from "../ui/numbers";
import { AgeScale } from "./AgeScale";

export function Attributes({ face }: { face: Face }) {
  return (
    <>
      {Object.entries(face.attributes).map(([task, value]) => (
        <AttributeView key={task} task={task} value={value} />
      ))}
    </>
  );
}

function AttributeView({ task, value }: { task: string; value: Attribute }) {
  const { texts, language } = useSettings();
  if (value.kind === "age") return <AgeScale age={value} />;
  if (value.kind === "regression") {
    return (
      <p>
        {titled(texts, task)}: {decimal(value.value, language, 1)} {value.unit}
      </p>
    );
  }
  const bars = Object.entries(value.probabilities).map(
    ([label, share]) => [word(texts, label), share] as const,
  );
  return (
    <div className="attribute">
      <h3>{titled(texts, task)}</h3>
      <Bars label={titled(texts, task)} bars={bars} />
    </div>
  );
}
