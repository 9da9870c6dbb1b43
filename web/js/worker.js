// A detector or a teacher in a worker of its own: messages in, answers with the same number out.
import { OspreyError } from "./error.js";
import { Local } from "./local.js";
import { Pupil } from "./pupil.js";

/** @type {Local | Pupil | undefined} */
let local;

/** @param {string} method @param {any[]} args */
async function answer(method, args) {
  if (method === "load") {
    const [kind, options] = args;
    local = kind === "teacher" ? await Pupil.load(options) : await Local.load(options);
    return local.description;
  }
  if (!local) throw new OspreyError("closed", "nothing is loaded");
  return /** @type {any} */ (local)[method](...args);
}

addEventListener("message", async ({ data: { number, method, args } }) => {
  try {
    postMessage({ number, result: await answer(method, args) });
  } catch (error) {
    const { code = "defect", message = String(error) } = /** @type {any} */ (error);
    postMessage({ number, error: { code, message } });
  } finally {
    // Frames hold a camera's buffers until they are closed.
    for (const argument of args) argument?.close?.();
  }
});
