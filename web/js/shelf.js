// Bytes by name in this browser's IndexedDB.
import { OspreyError } from "./error.js";

const [DATABASE, STORE] = ["osprey", "kept"];

/** @returns {Promise<IDBDatabase>} */
function open() {
  if (!globalThis.indexedDB) return Promise.reject(new OspreyError("kept", "there is no IndexedDB here to keep anything in"));
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new OspreyError("kept", `this browser keeps nothing: ${request.error?.message}`));
  });
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>}
 */
async function once(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(new OspreyError("kept", `it could not be kept: ${transaction.error?.message}`));
    });
  } finally {
    database.close();
  }
}

/** @param {string} name @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} */
export const get = (name) => once("readonly", (store) => store.get(name));

/** @param {string} name @param {Uint8Array} bytes @returns {Promise<void>} */
export const put = (name, bytes) => once("readwrite", (store) => store.put(bytes, name));

/** @param {string} name @returns {Promise<void>} */
export const remove = (name) => once("readwrite", (store) => store.delete(name));
