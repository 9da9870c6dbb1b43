// A detector in a worker of its own: messages in, answers with the same number out.
import { OspreyError } from "./error.js";
import { Local } from "./local.js";

/** @type {Local | undefined} */
let local;

/** @param {string} method @param {any[]} args */
async function answer(method, args) {
  if (method === "load") {
    local = await Local.load(args[0]);
    return local.description;
  }
  if (!local) throw new OspreyError("closed", "the detector is not loaded");
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
