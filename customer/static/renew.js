// Renew my Certificate: shown when the extension is there.
import { Failure, findExtension, run } from "./bridge.js";
import { showStep } from "./steps.js";

const $ = (id) => document.getElementById(id);

async function renew() {
  $("say").textContent = "";
  $("steps").replaceChildren();
  $("renew").disabled = true;
  try {
    await run("renew", { serial: $("renew").dataset.serial }, (message) => showStep($("steps"), message));
    $("done").hidden = false;
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    $("say").textContent = `${failure.message} (${failure.code})`;
    $("renew").disabled = false;
  }
}

$("renew").addEventListener("click", renew);
if ((await findExtension()) !== null) $("with-ushield").hidden = false;
