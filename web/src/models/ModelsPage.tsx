/** The models of the service, by their cards. */
import { useTexts } from "../app/settings";
import { FailureBox } from "../ui/FailureBox";
import { ModelCard } from "./ModelCard";
import { useModels } from "./useModels";

export function ModelsPage() {
  const texts = useTexts();
  const { value: models, failure, retry } = useModels();
  if (failure) return <FailureBox failure={failure} onRetry={retry} />;
  if (!models) return <p className="muted">{texts.models.loading}</p>;
  return (
    <>
      {models.map((model) => (
        <ModelCard key={model.name} model={model} />
      ))}
    </>
  );
}
