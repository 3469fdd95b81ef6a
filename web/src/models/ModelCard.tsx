/** One model: what it is, what it learnt from, how good it is and for whom. */
import { type MouseEvent, type ReactNode, useId, useState } from "react";
import { type Failure, asFailure } from "../api/failure";
import type { Model } from "../api/types";
import { useService } from "../app/service";
import { useSettings } from "../app/settings";
import { FailureBox } from "../ui/FailureBox";
import { download } from "../ui/download";
import { count, decimal } from "../ui/numbers";
import { Speed } from "./Speed";
import { TaskFigures } from "./TaskFigures";

export function ModelCard({ model }: { model: Model }) {
  const { texts } = useSettings();
  const id = useId();
  const { card } = model;
  return (
    <article className="model" aria-labelledby={id}>
      <header className="card">
        <h2 id={id}>
          {model.name} <span className="muted">{texts.models.kinds[model.kind]}</span>
        </h2>
        <p>{card.description}</p>
        <Facts model={model} />
      </header>
      {card.limits && (
        <section className="card">
          <h3>{texts.models.limits}</h3>
          <p>{card.limits}</p>
        </section>
      )}
      {card.data.length > 0 && <DataTable model={model} />}
      {card.tasks.map((task) => (
        <TaskFigures key={task.name} model={model.name} card={card} task={task.name} />
      ))}
      {card.metrics.length === 0 && <p className="muted">{texts.models.noFigures}</p>}
    </article>
  );
}

function Facts({ model }: { model: Model }) {
  const { texts, language, url, key } = useSettings();
  const service = useService();
  const [failure, setFailure] = useState<Failure | null>(null);
  const { card } = model;
  const file = `${model.name}.onnx`;
  const save = (event: MouseEvent) => {
    if (!key) return;
    // A link would go there without the key.
    event.preventDefault();
    setFailure(null);
    service.file(model).then(
      (content) => download(content, file),
      (thrown: unknown) => setFailure(asFailure(thrown)),
    );
  };
  return (
    <dl className="facts">
      <Fact name={texts.models.version}>{card.version}</Fact>
      <Fact name={texts.models.created}>
        {card.created} {card.created_by && `(${card.created_by})`}
      </Fact>
      <Fact name={texts.models.size}>
        <a href={url + model.file} download={file} onClick={save}>
          {texts.models.megabytes(decimal(model.bytes / 1e6, language, 1))}
        </a>
        {failure && <FailureBox failure={failure} />}
      </Fact>
      <Fact name={texts.models.input}>{texts.models.pixels(card.input.size)}</Fact>
      <Fact name={texts.models.speed}>
        <Speed name={model.name} size={card.input.size} />
      </Fact>
      <Fact name={texts.models.use}>{card.use}</Fact>
      <Fact name={texts.models.licence}>{card.licence}</Fact>
      <Fact name={texts.models.fingerprint}>
        <code className="hash">{model.sha256}</code>
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function DataTable({ model }: { model: Model }) {
  const { texts, language } = useSettings();
  return (
    <section className="card">
      <h3>{texts.models.data}</h3>
      <div className="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.models.dataName}</th>
              <th scope="col" className="number">
                {texts.models.pictures}
              </th>
              <th scope="col">{texts.models.terms}</th>
            </tr>
          </thead>
          <tbody>
            {model.card.data.map(({ name, pictures, terms }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="number">{count(pictures, language)}</td>
                <td>{terms}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
