// Reset my Certificate Password: the tool asks for both passwords, the page for none.
import { Failure, findExtension, run } from "./bridge.js";

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

$("change").addEventListener("click", change);
const isThere = (await findExtension()) !== null;
$("with-ushield").hidden = !isThere;
$("without-ushield").hidden = isThere;
