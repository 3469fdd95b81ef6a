import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  globalIgnores(["node_modules", "src/api/schema.ts"]),
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  ts.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    // What bears any name is a table, not an object; brackets say so.
    rules: { "@typescript-eslint/dot-notation": "off" },
  },
  { files: ["tests/**"], rules: { "@typescript-eslint/no-unsafe-assignment": "off" } },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [a11y.flatConfigs.recommended, hooks.configs.flat["recommended-latest"]],
  },
  { files: ["**/*.js"], extends: [ts.configs.disableTypeChecked] },
);
