// The steps that the tool tells of, in a list.

import { t } from "./words.js";

export function showStep(list, message) {
  if (message.type !== "step") return;
  const id = `step-${message.number}`;
  let line = document.getElementById(id);
  if (line === null) {
    line = document.createElement("li");
    line.id = id;
    const sign = document.createElement("span");
    sign.className = "mark";
    line.append(sign, document.createTextNode(`${message.number}/${message.of} ${t(message.words)}`));
    list.append(line);
  }
  line.className = message.state;
  line.querySelector(".mark").textContent = message.state === "done" ? "✓" : "…";
}
