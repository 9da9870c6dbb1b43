// Files of the package and of callers: read, and checked against the hash that a manifest gives.
import { OspreyError } from "./error.js";

/** Where the package's files lie. */
export const BASE = new URL("../dist/", import.meta.url);

/**
 * @param {URL | string} address
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function read(address) {
  const url = new URL(address, globalThis.location?.href ?? BASE);
  if (url.protocol === "file:") {
    // Node has no fetch for files; bundlers for browsers need not see the module.
    const fs = /** @type {any} */ (await import(/* @vite-ignore */ /* webpackIgnore: true */ "node:" + "fs/promises"));
    return new Uint8Array(await fs.readFile(url));
  }
  const response = await fetch(url).catch((cause) => {
    throw new OspreyError("load", `${url.href} cannot be fetched: ${cause}`, cause);
  });
  if (!response.ok) throw new OspreyError("load", `${url.href}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} sha256 in hexadecimal
 * @param {string} name for the error
 */
export async function verify(bytes, sha256, name) {
  if (!globalThis.crypto?.subtle) {
    throw new OspreyError("integrity", `${name} cannot be checked: a page needs https or localhost for that`);
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== sha256.toLowerCase()) {
    throw new OspreyError("integrity", `${name} is not the file that was meant: SHA-256 ${hex}, expected ${sha256}`);
  }
}
