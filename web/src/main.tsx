/** Starts the page. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { SettingsProvider } from "./app/SettingsProvider";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/shell.css";
import "./styles/faces.css";
import "./styles/photo.css";
import "./styles/live.css";
import "./styles/models.css";

const root = document.getElementById("root");
if (!root) throw new Error("the document has no element #root");
createRoot(root).render(
  <StrictMode>
    <SettingsProvider>
      <App />
    </SettingsProvider>
  </StrictMode>,
);
