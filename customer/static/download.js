// Download my Certificate: once everything is there, starts the tool, shows what it does.
import { run } from "./bridge.js";
import { begin } from "./check.js";
import { referenceNumber } from "./codes.js";
import { showStep } from "./steps.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
function told(message) {
  showStep($("steps"), message);
  if (message.type === "certificate") $("subject").textContent = `${t("Waiting for you:")} ${message.subject}`;
}

async function download(event) {
  event.preventDefault();
  const reference = referenceNumber($("reference").value);
  if (!reference) {
    $("reference-say").textContent = t("A reference number has 10 digits, the last proves the others. Compare it with the receipt of your branch.");
    $("reference").focus();
    return;
  }
  $("reference-say").textContent = "";
  const button = event.submitter ?? $("start").querySelector("button");
  button.disabled = true;
  $("steps").replaceChildren();
  $("failed").hidden = $("what-now").hidden = true;
  $("progress").hidden = false;
  try {
    show(await run("download", { reference }, told));
  } catch (failure) {
    $("failed").textContent = `${failure.message} (${failure.code})`;
    $("failed").hidden = $("what-now").hidden = false;
  } finally {
    button.disabled = false;
  }
}

function show(done) {
  $("done-subject").textContent = done.subject;
  $("done-status").textContent = t(done.status);
  $("done-serial").textContent = done.serial.replace(/(.{4})(?=.)/g, "$1 ");
  $("done-until").textContent = new Date(done.not_after).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  $("done-device").textContent = `${done.device.label}, ${t("serial")} ${done.device.serial}`;
  $("codes").hidden = true;
  $("done").hidden = false;
  $("done").scrollIntoView();
}

// The QR code on the receipt brings the number along behind a #, where no server sees it.
$("reference").value = referenceNumber(location.hash.slice(1)) ?? "";
$("start").addEventListener("submit", download);
begin((ready) => {
  $("codes").hidden = !ready;
});
