// Sign in with my U-Shield: shown when the extension is there.
import { Failure, findExtension, post, run } from "./bridge.js";

const $ = (id) => document.getElementById(id);

async function signIn() {
  $("say").textContent = "";
  $("sign-in").disabled = true;
  try {
    const { certificate, nonce, signature } = await run("sign-in");
    const answer = await post("/bridge/sign-in", { certificate, nonce, signature });
    location.assign(answer.next);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    $("say").textContent = `${failure.message} (${failure.code})`;
  } finally {
    $("sign-in").disabled = false;
  }
}

$("sign-in").addEventListener("click", signIn);
if ((await findExtension()) !== null) $("with-ushield").hidden = false;
