// The page without a network: its files are kept at the first visit, and those of a new version at the next.
const CACHE = "osprey-VERSION";
const FILES = /* FILES */ ["./"];

addEventListener("install", (event) => {
  // All or nothing: a page of mixed versions would not run.
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const others = caches.keys().then((names) => Promise.all(names.filter((n) => n !== CACHE).map((n) => caches.delete(n))));
  event.waitUntil(others.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((kept) => kept ?? fetch(event.request)));
});
