// Cancel my Certificate with the U-Shield: shown when the extension is there.
import { Failure, findExtension, post, run } from "./bridge.js";

const $ = (id) => document.getElementById(id);

async function cancel() {
  $("say").textContent = "";
  $("cancel").disabled = true;
  const { serial } = $("cancel").dataset;
  try {
    const { certificate, nonce, signature } = await run("cancel", { serial });
    await post("/bridge/cancel", { serial, certificate, nonce, signature });
    location.assign("/me");
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    $("say").textContent = `${failure.message} (${failure.code})`;
  } finally {
    $("cancel").disabled = false;
  }
}

$("cancel").addEventListener("click", cancel);
if ((await findExtension()) !== null) $("with-ushield").hidden = false;
