/** What the service states of what is stored, for how long, and what is shown of it. */
import { useCallback } from "react";
import { useSettings } from "../app/settings";
import { useWatch } from "../app/watch";
import { FailureBox } from "../ui/FailureBox";
import { count } from "../ui/numbers";
import { useLoaded } from "../ui/useLoaded";
import { Wide } from "../ui/Wide";

export function Privacy() {
  const { texts, language } = useSettings();
  const words = texts.audience.privacy;
  const service = useWatch();
  const load = useCallback((signal: AbortSignal) => service.privacy(signal), [service]);
  const { value, failure, retry } = useLoaded(load);
  const listed = (names: readonly string[]) =>
    names.map((name) => words.words[name] ?? name).join(", ");
  return (
    <section className="card privacy" aria-labelledby="audience-privacy">
      <h2 id="audience-privacy">{words.title}</h2>
      {failure && <FailureBox failure={failure} onRetry={retry} />}
      {value && (
        <>
          <dl className="kept">
            <dt>{words.never}</dt>
            <dd>{listed(value.stored.never)}</dd>
            <dt>{words.kept}</dt>
            <dd>{listed(value.stored.of_a_visit)}</dd>
          </dl>
          <p>
            {value.stored.keep_days === null
              ? words.forever
              : words.days(count(value.stored.keep_days, language))}
          </p>
          <p>{value.shown.k > 1 ? words.k(count(value.shown.k, language)) : words.allShown}</p>
          <p>
            {value.gender ? words.gender : words.noGender}{" "}
            {value.expression ? words.expression(value.expression.purpose) : words.noExpression}
          </p>
          <details>
            <summary>{words.schema}</summary>
            {Object.entries(value.schema).map(([table, { holds, columns }]) => (
              <Wide key={table} label={table}>
                <table lang="en">
                  <caption>
                    <code>{table}</code> <span className="muted">{holds}</span>
                  </caption>
                  <thead>
                    <tr>
                      <th scope="col">{words.column}</th>
                      <th scope="col">{words.type}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {Object.entries(columns).map(([name, type]) => (
                      <tr key={name}>
                        <th scope="row">
                          <code>{name}</code>
                        </th>
                        <td>
                          <code>{type}</code>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Wide>
            ))}
          </details>
        </>
      )}
    </section>
  );
}
