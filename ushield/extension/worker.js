// Between the bank's pages and the U-Shield tool. It carries messages and decides one thing: which page may ask.
"use strict";

const browserApi = globalThis.browser ?? globalThis.chrome;
const HOST = "com.vermilion.ushield";
const ORIGINS = browserApi.runtime.getManifest().content_scripts[0].matches.map((match) => match.slice(0, -2));

// The origin is what the browser says of the sender, never what a message says.
function originOf(sender) {
  if (sender.frameId !== 0 || !sender.tab) return null;
  const origin = sender.origin ?? new URL(sender.url).origin;
  return origin.startsWith("https://") && ORIGINS.includes(origin) ? origin : null;
}

browserApi.runtime.onConnect.addListener((page) => {
  const origin = originOf(page.sender);
  if (origin === null) {
    page.disconnect();
    return;
  }
  const tool = browserApi.runtime.connectNative(HOST);
  tool.onMessage.addListener((message) => page.postMessage(message));
  tool.onDisconnect.addListener(() => {
    const error = browserApi.runtime.lastError ?? tool.error;
    page.postMessage({ type: "gone", missing: /not found|No such native/i.test(error?.message ?? "") });
    page.disconnect();
  });
  page.onMessage.addListener((message) => {
    if (message?.type === "hello") tool.postMessage({ type: "hello" });
    else if (message?.type === "run") tool.postMessage({ type: "run", origin, job: String(message.job) });
  });
  page.onDisconnect.addListener(() => tool.disconnect());
});
