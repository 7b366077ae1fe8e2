// In the bank's pages, top frame only: passes the page's requests on and the tool's answers back.
"use strict";

(() => {
  const browserApi = globalThis.browser ?? globalThis.chrome;
  const version = browserApi.runtime.getManifest().version;
  let port = null;
  let spent = false;

  const say = (message) => window.postMessage({ ushield: "answer", ...message }, location.origin);

  function connect() {
    const connection = browserApi.runtime.connect({ name: "ushield" });
    connection.onMessage.addListener((message) => say(message));
    connection.onDisconnect.addListener(() => {
      if (port === connection) port = null;
    });
    return connection;
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window || event.origin !== location.origin) return;
    const { ushield, type, job } = event.data ?? {};
    if (ushield !== "ask") return;
    if (type === "present") {
      say({ type: "present", extension: version });
    } else if (type === "hello" || type === "run") {
      // A tool works once: a driver that lost its U-Shield may not find it again until it is loaded anew.
      if (spent) port?.disconnect();
      port = spent || port === null ? connect() : port;
      spent = type === "run";
      port.postMessage({ type, job });
    } else if (type === "leave") {
      port?.disconnect();
      port = null;
    }
  });
})();
