/** Buttons that give the results as files. */
import { useState } from "react";
import { useTexts } from "../app/settings";
import { Icon } from "../ui/Icon";
import { download } from "../ui/download";
import { stem } from "../ui/pictures";
import { type Drawing, draw } from "./drawing";
import { type Read, toCsv, toJson } from "./exporting";

interface Props {
  read: Read[];
  /** Name of the picture, or another from which the files get theirs. */
  name: string;
  drawing?: Drawing;
}

export function Downloads({ read, name, drawing }: Props) {
  const texts = useTexts();
  const base = stem(name);
  const [unshown, setUnshown] = useState(false);
  const savePicture = async (from: Drawing) => {
    // The service reads kinds of pictures that browsers do not show.
    const picture = await draw(from).catch(() => null);
    if (picture) download(picture, `${base}-faces.png`);
    else setUnshown(true);
  };
  const saveText = (text: string, type: string, suffix: string) => {
    download(new Blob([text], { type: `${type};charset=utf-8` }), `${base}-faces.${suffix}`);
  };
  return (
    <div className="downloads" role="group" aria-label={texts.photo.download}>
      <Icon name="download" />
      {drawing && !unshown && (
        <button type="button" className="plain" onClick={() => void savePicture(drawing)}>
          {texts.photo.downloadPicture}
        </button>
      )}
      <button
        type="button"
        className="plain"
        disabled={read.length === 0}
        onClick={() => saveText(toCsv(read), "text/csv", "csv")}
      >
        {texts.photo.downloadCsv}
      </button>
      <button
        type="button"
        className="plain"
        disabled={read.length === 0}
        onClick={() => saveText(toJson(read), "application/json", "json")}
      >
        {texts.photo.downloadJson}
      </button>
    </div>
  );
}
