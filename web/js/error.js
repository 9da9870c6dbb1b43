/** What this package throws. */
export class OspreyError extends Error {
  /**
   * @param {"model" | "picture" | "options" | "integrity" | "load" | "closed" | "defect" | "motion" | "learning" | "kept"} code what failed
   * @param {string} message what happened, and the remedy
   * @param {unknown} [cause] what it came from
   */
  constructor(code, message, cause) {
    super(message, { cause });
    this.name = "OspreyError";
    this.code = code;
  }
}
