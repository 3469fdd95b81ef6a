/** A page with the engine and nothing else, for whoever drives the browser. */

import { Engine, EngineError } from "../../../src/engine";

Object.assign(window, { Engine, EngineError });
