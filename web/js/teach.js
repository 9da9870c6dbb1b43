// Classes of one's own, taught with pictures.
import { OspreyError } from "./error.js";
import { lent } from "./pictures.js";
import { Pupil } from "./pupil.js";
import { Remote } from "./remote.js";
import * as shelf from "./shelf.js";

/** @typedef {import("./pictures.js").Source} Source */
/** @typedef {import("./pictures.js").View} View */

/** @typedef {{classes: string[], pictures: number[], trained: boolean}} Known */

/**
 * @typedef {object} Training
 * @property {number} loss of the last epoch
 * @property {number} accuracy on the pictures that were taught, 0 to 1
 */

/**
 * @typedef {object} Answer
 * @property {string | null} label the likeliest class
 * @property {Record<string, number>} probabilities a share for each class; together 1
 */

/**
 * Learns classes from a few pictures each, and tells them apart from then on.
 *
 * ```js
 * const teacher = await Teacher.load({ keep: "my cups" });
 * await teacher.learn("red cup", video);
 * await teacher.learn("blue cup", video);
 * const { label } = await teacher.classify(video);
 * ```
 *
 * The nearest pictures answer at once; after `train` a last layer does, until the classes change.
 */
export class Teacher {
  /** @type {Pupil | Remote} */ #backend;
  /** @type {string | undefined} */ #keep;
  /** @type {Known} */ #known;

  /** @param {Pupil | Remote} backend @param {string} [keep] */
  constructor(backend, keep) {
    [this.#backend, this.#keep] = [backend, keep];
    const { classes, pictures, trained } = backend.description;
    this.#known = { classes, pictures, trained };
  }

  /**
   * Learns on the features of the package's default detector, or of another model of pictures.
   * It has one thread.
   * @param {import("./instance.js").FileOptions & {worker?: boolean, keep?: string}} [options] `keep`: a name under
   *   which all that is learned stays in this browser's IndexedDB, and is taken up again; `worker: false` for this
   *   thread
   * @returns {Promise<Teacher>}
   * @throws {OspreyError} "kept" where what was kept fits another model; `Teacher.forget` makes room
   */
  static async load({ worker = typeof Worker === "function", keep, ...options } = {}) {
    const backend = worker ? await Remote.load("teacher", options) : await Pupil.load(options);
    const teacher = new Teacher(backend, keep);
    const kept = keep === undefined ? undefined : await shelf.get(keep);
    try {
      if (kept) await teacher.restore(kept);
    } catch (error) {
      await teacher.close();
      throw error;
    }
    return teacher;
  }

  /** Forgets what was kept under a name. @param {string} keep */
  static forget(keep) {
    return shelf.remove(keep);
  }

  /** The classes with their numbers of pictures. @returns {{name: string, pictures: number}[]} */
  get classes() {
    return this.#known.classes.map((name, i) => ({ name, pictures: this.#known.pictures[i] }));
  }

  /** Whether a last layer was trained for the classes as they are. */
  get trained() {
    return this.#known.trained;
  }

  /**
   * Learns a picture of a class, which is added where it is new.
   * @param {string} name
   * @param {Source} source
   * @param {View} [view]
   */
  async learn(name, source, view = {}) {
    const known = this.#known.classes.indexOf(name.trim());
    const number = known < 0 ? await this.#backend.addClass(name) : known;
    await lent(source, this.#backend instanceof Remote, (picture) => this.#backend.learn(number, picture, view));
    await this.#changed();
  }

  /** @param {string} name a class, which goes with its pictures */
  async remove(name) {
    const number = this.#known.classes.indexOf(name);
    if (number < 0) throw new OspreyError("learning", `there is no class "${name}"`);
    await this.#backend.removeClass(number);
    await this.#changed();
  }

  /**
   * Which class a picture is of.
   * @param {Source} source
   * @param {View} [view]
   * @returns {Promise<Answer>}
   * @throws {OspreyError} "learning" before anything was learned
   */
  async classify(source, view = {}) {
    const { classes } = this.#known;
    const { class: number, probabilities } = await lent(source, this.#backend instanceof Remote, (picture) =>
      this.#backend.classify(picture, view),
    );
    const named = Object.fromEntries(probabilities.map((/** @type {number} */ p, /** @type {number} */ i) => [classes[i], p]));
    return { label: classes[number] ?? null, probabilities: named };
  }

  /**
   * Trains a last layer on all pictures, which answers from then on.
   * @param {{epochs?: number}} [options] 30 by default
   * @returns {Promise<Training>}
   * @throws {OspreyError} "learning" for fewer than two classes, or a class without pictures
   */
  async train({ epochs = 30 } = {}) {
    const training = await this.#backend.train(epochs);
    await this.#changed();
    return training;
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} all that was learned, for `restore` */
  save() {
    return this.#backend.save();
  }

  /**
   * Takes what `save` gave in place of all that is known.
   * @param {Uint8Array<ArrayBuffer>} saved
   * @throws {OspreyError} "kept" where it is damaged or was learned with another model
   */
  async restore(saved) {
    await this.#backend.restore(saved);
    await this.#changed();
  }

  /** Gives worker and memory back; what is kept stays. */
  close() {
    return this.#backend.close();
  }

  async #changed() {
    this.#known = await this.#backend.known();
    if (this.#keep !== undefined) await shelf.put(this.#keep, await this.save());
  }
}
