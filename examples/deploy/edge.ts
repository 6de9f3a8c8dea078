// A module whose default export has `fetch`: `bun run edge.ts` and `deno serve -A edge.ts` serve it as it is.
// In a project of your own, import from "cria" and "cria/server".
import { embeddedModelPath, WorkerEngine } from "../../src/index.ts";
import { createApp } from "../../src/server/index.ts";

const engine = await WorkerEngine.load(process.env.CRIA_MODEL ?? embeddedModelPath());

export default createApp(engine);
