/** How good a model is at one task, for whom, and what it takes for what. */
import type { Card, Metric } from "../api/types";
import { useSettings } from "../app/settings";
import { titled, word } from "../texts";
import { count } from "../ui/numbers";
import { ConfusionMatrix } from "./ConfusionMatrix";
import { GroupChart } from "./GroupChart";
import { shown } from "./figure";
import { confusionOf, grouped, overall } from "./metrics";

export function TaskFigures({ model, card, task }: { model: string; card: Card; task: string }) {
  const { texts } = useSettings();
  const metrics = overall(card, task);
  const groups = grouped(card, task);
  const confusion = confusionOf(card, task);
  if (metrics.length === 0 && !groups && !confusion) return null;
  const name = word(texts, task);
  return (
    <section className="card task" aria-label={`${model}: ${titled(texts, task)}`}>
      <div>
        <h3>
          {titled(texts, task)}: {texts.models.tasks}
        </h3>
        <Figures metrics={metrics} />
      </div>
      {groups && (
        <div>
          <h3>{groups.error ? texts.models.groups.age : texts.models.groups.other(name)}</h3>
          <div className="group-charts">
            {groups.groups.map(([by, found]) => (
              <GroupChart key={by} by={by} figure={groups.figure} metrics={found} />
            ))}
          </div>
        </div>
      )}
      {confusion && (
        <div>
          <h3>{texts.models.confusion(name)}</h3>
          <ConfusionMatrix confusion={confusion} />
        </div>
      )}
    </section>
  );
}

function Figures({ metrics }: { metrics: Metric[] }) {
  const { texts, language } = useSettings();
  const pictures = metrics[0]?.pictures;
  return (
    <>
      {pictures !== undefined && (
        <p className="hint">{texts.models.measuredOn(count(pictures, language))}</p>
      )}
      <dl className="task-figures">
        {metrics.map(({ name, value, low, high }) => (
          <div key={name}>
            <dt>{texts.metrics[name] ?? name}</dt>
            <dd>
              {shown(name, value, language)}
              {typeof low === "number" && typeof high === "number" && (
                <span className="muted">
                  {" "}
                  ({shown(name, low, language)} – {shown(name, high, language)})
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
