/** What is in a picture: the most probable classes of a model. */
import { useCallback, useEffect, useState } from "react";
import type { Guess, Model } from "../api/types";
import { useService } from "../app/service";
import { useTexts } from "../app/settings";
import { useModels } from "../models/useModels";
import { word } from "../texts";
import { Bars } from "../ui/Bars";
import { FailureBox } from "../ui/FailureBox";
import { PictureInput } from "../ui/PictureInput";
import { Select } from "../ui/Select";
import { useLoaded } from "../ui/useLoaded";

const TOP = 10;

export function ClassifyPage() {
  const texts = useTexts();
  const { value: models, failure, retry } = useModels();
  const [name, setName] = useState("");
  if (failure) return <FailureBox failure={failure} onRetry={retry} />;
  if (!models) return <p className="muted">{texts.models.loading}</p>;
  const fitting = models.filter(({ kind }) => kind === "picture");
  const model = fitting.find((known) => known.name === name) ?? fitting[0];
  if (!model) return <NoModel />;
  return (
    <>
      <div className="choice">
        <span aria-hidden="true">{texts.classify.model}</span>
        <Select
          label={texts.classify.model}
          value={model.name}
          options={fitting.map((known) => [known.name, known.name])}
          onChange={setName}
        />
        <span className="muted">{model.card.description}</span>
      </div>
      <Classified model={model} />
    </>
  );
}

function NoModel() {
  const texts = useTexts();
  return (
    <div className="card howto">
      <p>
        <strong>{texts.classify.none}</strong>
      </p>
      <p>{texts.classify.noneHint}</p>
      <pre>
        <code>mien serve --models face,runs/flowers/model.onnx</code>
      </pre>
    </div>
  );
}

function Classified({ model }: { model: Model }) {
  const texts = useTexts();
  const service = useService();
  const [shown, show] = useShown();
  const picture = shown?.file;
  const load = useCallback(
    async (signal: AbortSignal) => {
      if (!picture) return null;
      const answer = await service.classify(picture, { model: model.name, top: TOP, signal });
      return answer.classes;
    },
    [service, picture, model.name],
  );
  const { value: guesses, failure, retry } = useLoaded(load);
  return (
    <>
      <PictureInput
        several={false}
        compact={shown !== null}
        onPictures={show}
      />
      <p className="hint">{texts.classify.privacy}</p>
      {shown && (
        <article className="picture" aria-label={shown.file.name} aria-busy={!guesses && !failure}>
          <div className="picture-parts">
            <figure className="picture-view">
              <img src={shown.url} alt={texts.photo.picture(shown.file.name)} />
            </figure>
            <div className="picture-faces" aria-live="polite">
              {failure && <FailureBox failure={failure} onRetry={retry} />}
              {guesses && <Guesses guesses={guesses} />}
              {!guesses && !failure && <p className="muted">{texts.photo.reading}</p>}
            </div>
          </div>
        </article>
      )}
    </>
  );
}

function Guesses({ guesses }: { guesses: Guess[] }) {
  const texts = useTexts();
  const bars = guesses.map(({ label, probability }) => [word(texts, label), probability] as const);
  return (
    <>
      {bars[0] && <p className="result">{bars[0][0]}</p>}
      <h2>{texts.classify.classes}</h2>
      <Bars label={texts.classify.classes} bars={bars} digits={1} />
    </>
  );
}

interface Shown {
  file: File;
  url: string;
}

/** The picture that is shown, with an address of it within this page. */
function useShown(): [Shown | null, (files: File[]) => void] {
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => () => URL.revokeObjectURL(shown?.url ?? ""), [shown]);
  const show = ([file]: File[]) => {
    if (file) setShown({ file, url: URL.createObjectURL(file) });
  };
  return [shown, show];
}
