/** Faces in pictures that are dropped, chosen, pasted or taken. */
import { useMemo } from "react";
import { useService } from "../app/service";
import { useSettings } from "../app/settings";
import { Icon } from "../ui/Icon";
import { PictureInput } from "../ui/PictureInput";
import { Downloads } from "./Downloads";
import { PictureResult } from "./PictureResult";
import { useFaceTasks } from "./tasks";
import { usePictures } from "./usePictures";

export function PhotoPage() {
  const { texts, race, change } = useSettings();
  const service = useService();
  const tasks = useFaceTasks(service, race);
  const { items, add, again, remove, clear } = usePictures(service, tasks);
  const read = useMemo(
    () =>
      items.flatMap(({ name, outcome }) =>
        outcome.state === "read" ? [{ name, picture: outcome.picture }] : [],
      ),
    [items],
  );
  return (
    <>
      <PictureInput several compact={items.length > 0} onPictures={add}>
        <a className="button" href="#/live">
          <Icon name="video" />
          {texts.input.startCamera}
        </a>
      </PictureInput>
      <div className="under-input">
        <p className="hint">{texts.photo.privacy}</p>
        <label className="switch" title={texts.photo.raceHint}>
          <input
            type="checkbox"
            checked={race}
            onChange={(event) => change({ race: event.target.checked })}
          />
          {texts.photo.race}
        </label>
      </div>
      <p className="unseen" role="status">
        {read.map(({ name, picture }) => texts.photo.announced(name, picture.faces.length)).at(0)}
      </p>
      {items.length > 1 && (
        <div className="results-head">
          <h2>{texts.photo.all(items.length)}</h2>
          <Downloads read={read} name="mien" />
          <button type="button" onClick={clear}>
            {texts.photo.clear}
          </button>
        </div>
      )}
      {items.map((item) => (
        <PictureResult key={item.id} item={item} onAgain={again} onRemove={remove} />
      ))}
    </>
  );
}
