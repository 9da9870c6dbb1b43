// The teacher's work in this thread: what a worker runs, and Node.
import { defaultDetector, Instance, prepare } from "./instance.js";
import { write } from "./pictures.js";

export class Pupil extends Instance {
  /** What was learned, in case a panic ends the instance. @type {Uint8Array<ArrayBuffer> | undefined} */
  #saved;

  /** @param {import("./instance.js").FileOptions} options */
  static async load(options) {
    return new Pupil(await prepare("teacher", defaultDetector, { ...options, threads: 1 }));
  }

  known() {
    return this.turn((core, handle) => core.known(handle));
  }

  /** @param {string} name */
  addClass(name) {
    return this.turn((core, handle) => core.addClass(handle, name));
  }

  /** @param {number} number */
  removeClass(number) {
    return this.turn((core, handle) => core.removeClass(handle, number));
  }

  /** @param {number} number @param {Parameters<typeof write>[0]} picture @param {Parameters<typeof write>[1]} view */
  learn(number, picture, view) {
    return this.turn(async (core, handle) => {
      const { layout, length } = await write(picture, view, (size) => core.bytes(size));
      core.learn(handle, number, layout, length);
    });
  }

  /** @param {Parameters<typeof write>[0]} picture @param {Parameters<typeof write>[1]} view */
  classify(picture, view) {
    return this.turn(async (core, handle) => {
      const { layout, length } = await write(picture, view, (size) => core.bytes(size));
      return core.classify(handle, layout, length);
    });
  }

  /** @param {number} epochs */
  train(epochs) {
    return this.turn((core, handle) => core.train(handle, epochs));
  }

  save() {
    return this.turn((core, handle) => (this.#saved = core.save(handle)));
  }

  /** @param {Uint8Array<ArrayBuffer>} saved */
  restore(saved) {
    return this.turn((core, handle) => {
      core.restore(handle, saved);
      this.#saved = saved;
    });
  }

  /** @param {import("./core.js").Core} core @param {number} handle */
  restarted(core, handle) {
    if (this.#saved) core.restore(handle, this.#saved);
  }
}
