/** Which classes a model takes for which: a table, coloured by the share of each row. */
import type { Confusion } from "../api/types";
import { useSettings } from "../app/settings";
import { word } from "../texts";
import { count, percent } from "../ui/numbers";

export function ConfusionMatrix({ confusion }: { confusion: Confusion }) {
  const { texts, language } = useSettings();
  const names = confusion.labels.map((label) => word(texts, label));
  return (
    <>
      <p className="hint">{texts.models.confusionHint}</p>
      {/* What scrolls must be reached by the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="wide" tabIndex={0} role="group" aria-label={texts.models.confusionHint}>
        <table className="confusion">
          <thead>
            <tr>
              <th scope="col">{texts.models.truth}</th>
              {names.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              <th scope="col">{texts.models.recall}</th>
            </tr>
          </thead>
          <tbody>
            {confusion.counts.map((row, truth) => {
              const total = row.reduce((sum, n) => sum + n, 0);
              const name = names[truth] ?? "";
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {row.map((n, read) => {
                    const share = total ? n / total : 0;
                    const text = percent(share, language);
                    return (
                      <td
                        key={names[read]}
                        style={{ "--share": share } as React.CSSProperties}
                        title={texts.models.cell(text, name, names[read] ?? "", n)}
                      >
                        {n === 0 ? "·" : text}
                      </td>
                    );
                  })}
                  <td className="total">{count(total, language)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
