import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The service under which `npm run dev` works: VITE_SERVICE=http://127.0.0.1:8123 npm run dev
const service = process.env["VITE_SERVICE"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  // Relative, so that the page also works below a path of a proxy.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../src/mien/serve/static",
    emptyOutDir: true,
    target: "es2022",
    // A font or picture as a data: address would need a wider content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1024,
  },
  // WebAssembly files are imported by `?url`, so they become hashed files of the build.
  worker: { format: "es" },
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  server: {
    headers: {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    },
    proxy: { "/v1": { target: service, ws: true } },
  },
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node" },
});
