// My company: what an administrator signs with the U-Shield; shown when the extension is there.
import { Failure, findExtension, perform, post } from "./bridge.js";

const $ = (id) => document.getElementById(id);

async function apply(form) {
  const typed = Object.fromEntries(new FormData(form));
  const { job, number } = await post("/bridge/company/order-application", typed);
  const { certificate, nonce, signature } = await perform(job);
  await post("/bridge/company/apply", { ...typed, number, certificate, nonce, signature });
  location.assign("/me/company?done=applied");
}

async function hold({ serial }) {
  const { job } = await post("/bridge/company/order-hold", { serial });
  const { certificate, nonce, signature } = await perform(job);
  await post("/bridge/company/hold", { serial, certificate, nonce, signature });
  location.assign("/me/company?done=held");
}

async function act(event) {
  event.preventDefault();
  $("say").textContent = "";
  $("act").disabled = true;
  try {
    await ($("apply") === null ? hold($("act").dataset) : apply($("apply")));
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    $("say").textContent = `${failure.message} (${failure.code})`;
  } finally {
    $("act").disabled = false;
  }
}

if ($("apply") === null) $("act").addEventListener("click", act);
else $("apply").addEventListener("submit", act);
if ((await findExtension()) !== null) {
  $("with-ushield").hidden = false;
  $("without").hidden = true;
}
