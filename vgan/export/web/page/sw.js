// Threads in WebAssembly need a page that is isolated from others, which takes two
// headers. This adds them, so that any host will do. It keeps nothing.
const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (["document", "worker"].includes(event.request.destination)) {
    event.respondWith(withHeaders(event.request));
  }
});

async function withHeaders(request) {
  const answer = await fetch(request);
  if (answer.type === "opaqueredirect" || answer.status === 0) return answer;
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = answer;
  return new Response(answer.body, { status, statusText, headers });
}
