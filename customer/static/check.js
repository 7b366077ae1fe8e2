// Is everything there on this computer? Each line says so, or the one thing to do.
import { findExtension, findTool, run } from "./bridge.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const NEEDED_PROTOCOL = 1;
const CLOCK_TOLERANCE_SECONDS = 60;
const MARKS = { good: "✓", held: "!", bad: "✗", idle: "·" };
const LINES = ["extension", "tool", "signature", "driver", "device", "issued", "password", "clock", "status"];
const PASSWORDS = {
  set: ["good", "set"],
  low: ["held", "was typed wrongly lately; the next try counts"],
  final: ["bad", "one try is left: if you are not sure of it, ask your branch"],
  locked: ["bad", "the U-Shield is locked: bring it and your identity document to your branch"],
  to_be_changed: ["held", "will be chosen now"],
  not_set: ["bad", "not prepared yet: bring it to your branch"],
};
const SIGNATURES = {
  newest: ["good", "the newest that the bank signed"],
  other: ["held", "not the newest that the bank signed: download it"],
  unpacked: ["bad", "not signed by the bank: download it"],
  unchecked: ["held", "could not be checked:"],
};
const STATUSES = {
  good: ["good", "your certificate holds"],
  revoked: ["bad", "your certificate is on hold or has ended: ask your branch"],
  unknown: ["bad", "the bank does not know the certificate: call the hotline"],
  reached: ["good", "reached; there is no certificate on the U-Shield yet"],
  unreached: ["bad", "not reached:"],
};

function mark(name, state, words) {
  const line = $(`check-${name}`);
  line.className = state;
  line.querySelector(".mark").textContent = MARKS[state];
  line.querySelector(".say").textContent = words;
}

function told(name, lines, found) {
  const [state, words] = lines[found.state];
  mark(name, state, found.sentence ? `${t(words)} ${found.sentence}` : t(words));
}

// Whether a download can begin.
export async function check() {
  for (const name of LINES) mark(name, "idle", "…");
  const extension = await findExtension();
  if (extension === null) return no("extension", t("not found: install it, then reload this page"));
  mark("extension", "good", `${t("version")} ${extension}`);
  const tool = await findTool();
  if (tool === null) return no("tool", t("not found: install it, then press Check again"));
  if (tool.protocol < NEEDED_PROTOCOL) return no("tool", `${t("version")} ${tool.tool} ${t("is too old: download the newest")}`);
  mark("tool", "good", `${t("version")} ${tool.tool}`);
  try {
    return look(await run("check"));
  } catch (failure) {
    return no("device", `${failure.message} (${failure.code})`);
  }
}

function no(name, words) {
  mark(name, "bad", words);
  return false;
}

function look(found) {
  told("signature", SIGNATURES, found.signature);
  told("status", STATUSES, found.status);
  const apart = Math.abs(found.clock - Date.now() / 1000);
  if (apart < CLOCK_TOLERANCE_SECONDS) mark("clock", "good", t("right"));
  else mark("clock", "bad", t("wrong: set date and time of this computer"));
  const working = found.providers.filter((provider) => provider.works);
  if (!working.length) return no("driver", t("not found: install the driver that came with your U-Shield"));
  mark("driver", "good", working.map((provider) => provider.name).join(", "));
  const prepared = found.devices.filter((device) => device.password !== "not_set");
  const shown = prepared.length ? prepared : found.devices;
  if (!shown.length) return no("device", t("not plugged in: plug it in, then press Check again"));
  mark("device", "good", shown.map((device) => `${device.label}, ${t("serial")} ${device.serial}`).join(" · "));
  compare(shown);
  if (shown.length > 1) mark("password", "idle", t("the tool asks which U-Shield you mean"));
  else {
    const [state, words] = PASSWORDS[shown[0].password];
    mark("password", state, t(words));
  }
  return true;
}

// With the bank's books, which only the customer who is signed in may see.
function compare(devices) {
  const own = JSON.parse($("check").dataset.devices);
  if (own === null) mark("issued", "idle", t("sign in to have it compared with the bank's books"));
  else if (devices.some((device) => own.includes(device.serial.toUpperCase()))) mark("issued", "good", t("the bank gave it to you"));
  else if (own.length) mark("issued", "bad", `${t("the bank gave you another one: plug that in, serial")} ${own.join(", ")}`);
  else mark("issued", "bad", t("the bank gave you none yet: ask your branch"));
}

export function begin(then) {
  const again = async () => then(await check());
  $("check").hidden = false;
  $("again").addEventListener("click", again);
  again();
}
