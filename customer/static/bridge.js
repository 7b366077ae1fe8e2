// From a page of ours to the U-Shield tool, by way of the extension (docs/protocols/bridge.md).

import { t } from "./words.js";

export class Failure extends Error {
  constructor(sentence, code) {
    super(sentence);
    this.code = code;
  }
}

const PRESENT_MS = 1500;
const HELLO_MS = 15000;

function ask(message) {
  window.postMessage({ ushield: "ask", ...message }, location.origin);
}

// Calls `take` with each answer until it returns something, or the time is over.
function answer(take, patience) {
  return new Promise((resolve, reject) => {
    let timer = null;
    const stop = () => {
      window.removeEventListener("message", listen);
      clearTimeout(timer);
    };
    const listen = (event) => {
      if (event.source !== window || event.origin !== location.origin || event.data?.ushield !== "answer") return;
      try {
        const found = take(event.data);
        if (found !== undefined) {
          stop();
          resolve(found);
        }
      } catch (error) {
        stop();
        reject(error);
      }
    };
    window.addEventListener("message", listen);
    if (patience) {
      timer = setTimeout(() => {
        stop();
        resolve(null);
      }, patience);
    }
  });
}

// The extension's version, null when there is none.
export function findExtension() {
  const found = answer((message) => (message.type === "present" ? message.extension : undefined), PRESENT_MS);
  ask({ type: "present" });
  return found;
}

// What the tool says of itself, null when there is none.
export function findTool() {
  const found = answer((message) => {
    if (message.type === "hello") return message;
    return message.type === "gone" ? null : undefined;
  }, HELLO_MS);
  ask({ type: "hello" });
  return found;
}

// The bank's answer to a JSON message of this page.
export async function post(path, message) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(message),
  }).catch(() => null);
  if (response === null) throw new Failure(t("The bank cannot be reached. Check the network and try again."), "P-52");
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Failure(told.message ?? t("The bank did not answer as it should."), "P-43");
  return told;
}

// Have the bank sign a job, have the tool do it; `told` is called with what it tells meanwhile.
export async function run(operation, parameters = {}, told = () => {}) {
  const ordered = await post("/bridge/jobs", { operation, ...parameters });
  return perform(ordered.job, told);
}

// Have the tool do what the bank ordered.
export function perform(job, told = () => {}) {
  const done = answer((message) => {
    if (message.type === "done") return message;
    if (message.type === "failed") throw new Failure(message.sentence, message.code);
    if (message.type === "gone") {
      throw new Failure(t("The U-Shield tool ended. Nothing is lost: press the button again to go on."), "P-30");
    }
    told(message);
    return undefined;
  });
  ask({ type: "run", job });
  return done;
}
