// Download my Certificate: checks what is there, starts the tool, shows what it does.
import { findExtension, findTool, run } from "./bridge.js";
import { showStep } from "./steps.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const NEEDED_PROTOCOL = 1;
const CLOCK_TOLERANCE_SECONDS = 60;
const MARKS = { good: "✓", held: "!", bad: "✗", idle: "·" };
const PASSWORDS = {
  set: ["good", "set"],
  low: ["held", "was typed wrongly lately; the next try counts"],
  final: ["bad", "one try is left: if you are not sure of it, ask your branch"],
  locked: ["bad", "the U-Shield is locked: bring it and your identity document to your branch"],
  to_be_changed: ["held", "will be chosen now"],
  not_set: ["bad", "not prepared yet: bring it to your branch"],
};

function mark(name, state, words) {
  const line = $(`check-${name}`);
  line.className = state;
  line.querySelector(".mark").textContent = MARKS[state];
  line.querySelector(".say").textContent = words;
}

async function check() {
  for (const name of ["extension", "tool", "driver", "device", "password", "clock"]) mark(name, "idle", "…");
  $("codes").hidden = true;
  const extension = await findExtension();
  if (extension === null) return mark("extension", "bad", t("not found: install it, then reload this page"));
  mark("extension", "good", `${t("version")} ${extension}`);
  const tool = await findTool();
  if (tool === null) return mark("tool", "bad", t("not found: install it, then press Check again"));
  if (tool.protocol < NEEDED_PROTOCOL) return mark("tool", "bad", `${t("version")} ${tool.tool} ${t("is too old: download the newest")}`);
  mark("tool", "good", `${t("version")} ${tool.tool}`);
  try {
    if (look(await run("check"))) $("codes").hidden = false;
  } catch (failure) {
    mark("device", "bad", `${failure.message} (${failure.code})`);
  }
  return undefined;
}

function look(found) {
  const working = found.providers.filter((provider) => provider.works);
  if (working.length) mark("driver", "good", working.map((provider) => provider.name).join(", "));
  else mark("driver", "bad", t("not found: install the driver that came with your U-Shield"));
  const apart = Math.abs(found.clock - Date.now() / 1000);
  if (apart < CLOCK_TOLERANCE_SECONDS) mark("clock", "good", t("right"));
  else mark("clock", "bad", t("wrong: set date and time of this computer"));
  const prepared = found.devices.filter((device) => device.password !== "not_set");
  const shown = prepared.length ? prepared : found.devices;
  if (!shown.length) {
    mark("device", "bad", t("not plugged in: plug it in, then press Check again"));
    return false;
  }
  mark("device", "good", shown.map((device) => `${device.label}, ${t("serial")} ${device.serial}`).join(" · "));
  if (shown.length > 1) mark("password", "idle", t("the tool asks which U-Shield you mean"));
  else {
    const [state, words] = PASSWORDS[shown[0].password];
    mark("password", state, t(words));
  }
  return working.length > 0;
}

function told(message) {
  showStep($("steps"), message);
  if (message.type === "certificate") $("subject").textContent = `${t("Waiting for you:")} ${message.subject}`;
}

async function download(event) {
  event.preventDefault();
  const reference = $("reference").value.replace(/[\s-]/g, "");
  if (!/^\d{10}$/.test(reference)) {
    $("reference-say").textContent = t("A reference number has 10 digits. Copy it from the receipt of your branch.");
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

$("check").hidden = false;
$("again").addEventListener("click", check);
$("start").addEventListener("submit", download);
check();
