// Reset my Certificate Password: the tool asks for both passwords, the page for none.
import { Failure, findExtension, run } from "./bridge.js";
import { referenceNumber } from "./codes.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);

async function change() {
  $("say").textContent = "";
  $("done").hidden = true;
  $("change").disabled = true;
  try {
    await run("password");
    $("done").hidden = false;
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    $("say").textContent = `${failure.message} (${failure.code})`;
  } finally {
    $("change").disabled = false;
  }
}

async function unlock(event) {
  event.preventDefault();
  const reference = referenceNumber($("reference").value);
  const button = $("unlock").querySelector("button");
  $("unlocked").hidden = true;
  $("unlock-say").textContent = "";
  if (!reference) {
    $("unlock-say").textContent = t("A reference number has 10 digits, the last proves the others. Compare it with the receipt of your branch.");
    $("reference").focus();
    return;
  }
  button.disabled = true;
  try {
    await run("unlock", { reference });
    $("unlocked").hidden = false;
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    $("unlock-say").textContent = `${failure.message} (${failure.code})`;
  } finally {
    button.disabled = false;
  }
}

$("change").addEventListener("click", change);
$("unlock").addEventListener("submit", unlock);
const isThere = (await findExtension()) !== null;
$("with-ushield").hidden = $("unlock").hidden = !isThere;
$("without-ushield").hidden = isThere;
