const TRIED = "vgan_isolated";

/** Load the page again under sw.js, once, where its host does not send the headers. */
export async function isolate() {
  if (crossOriginIsolated || !navigator.serviceWorker) {
    sessionStorage.removeItem(TRIED);
    return;
  }
  if (sessionStorage.getItem(TRIED)) return; // it did not help: one thread will do
  try {
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
  } catch {
    return; // such as in a private window
  }
  sessionStorage.setItem(TRIED, "1");
  location.reload();
  await new Promise(() => {});
}
