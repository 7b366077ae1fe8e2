// What pages need a script for: passkeys (WebAuthn level 2), copying, printing. Nothing here decides anything.

const toBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const toBase64 = (buffer) => btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""));
const toBase64Url = (buffer) => toBase64(buffer).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const ALGORITHMS = [-7, -257]; // ES256, RS256
const TIMEOUT_MS = 120_000;

// What is said is written in English; a page in another language carries the translations.
const WORDS = JSON.parse(document.querySelector("meta[name=words]")?.content ?? "{}");
const t = (sentence) => WORDS[sentence] ?? sentence;

class Sentence extends Error {}

function sentenceOf(error) {
  if (error instanceof Sentence) return error.message;
  if (error instanceof DOMException) {
    if (error.name === "NotAllowedError") return t("The passkey was not used: it was cancelled or took too long. Nothing was changed; try again.");
    if (error.name === "InvalidStateError") return t("This device already has a passkey for you. Sign in with it.");
    if (error.name === "SecurityError") return t("The browser refuses passkeys on this address. Open the console by its proper name.");
  }
  return t("The passkey could not be used. Nothing was changed; reload the page and try again.");
}

function show(error) {
  const place = document.querySelector("[data-passkey-error]");
  place.textContent = sentenceOf(error);
  place.hidden = false;
}

async function post(url, form, fields = {}) {
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, ...fields });
  const response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
  const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
  const answer = isJson ? await response.json() : {};
  if (!response.ok) throw new Sentence(answer.message ?? t("The console did not answer as it should. Reload the page and try again."));
  return answer;
}

async function sign(form, challenge) {
  const credential = await navigator.credentials.get({
    publicKey: { challenge: toBytes(challenge), rpId: form.dataset.relyingParty, userVerification: "required", timeout: TIMEOUT_MS },
  });
  form.elements.assertion.value = JSON.stringify({
    credential_id: toBase64(credential.rawId),
    client_data: toBase64(credential.response.clientDataJSON),
    authenticator_data: toBase64(credential.response.authenticatorData),
    signature: toBase64(credential.response.signature),
  });
}

async function register(form, known = []) {
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: toBytes(form.elements.challenge.value),
      rp: { id: form.dataset.relyingParty, name: form.dataset.organization },
      user: { id: crypto.getRandomValues(new Uint8Array(32)), name: form.dataset.person, displayName: form.dataset.name },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
      excludeCredentials: known.map((id) => ({ type: "public-key", id: toBytes(id) })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
      timeout: TIMEOUT_MS,
    },
  });
  const identifier = toBase64Url(credential.rawId);
  form.elements.registration.value = JSON.stringify({
    id: identifier,
    rawId: identifier,
    type: credential.type,
    response: {
      clientDataJSON: toBase64Url(credential.response.clientDataJSON),
      attestationObject: toBase64Url(credential.response.attestationObject),
    },
  });
}

const STEPS = {
  "sign-in": async (form) => {
    const { challenge } = await post(form.dataset.challengeUrl, form);
    form.elements.challenge.value = challenge;
    await sign(form, challenge);
  },
  sign: (form) => sign(form, form.dataset.challenge),
  register,
  // One more passkey, for an officer whom the console knows by the session or by a recovery code.
  make: async (form) => {
    const names = (form.dataset.send ?? "").split(" ").filter(Boolean);
    const given = Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
    const opened = await post(form.dataset.openUrl, form, given);
    form.elements.challenge.value = opened.challenge;
    form.dataset.person = opened.person;
    form.dataset.name = opened.name;
    await register(form, opened.known);
  },
};

async function openLink(form) {
  const code = decodeURIComponent(location.hash.slice(1));
  // The code has done its work in the address bar: take it out of the history.
  history.replaceState(null, "", location.pathname);
  if (!code) throw new Sentence(t("This link is not whole. Copy it again, to its last character."));
  // A ceremony's link carries both halves of the code; at a branch, two officers hand out one each.
  if (code.includes(".")) await openInvitation(form, code);
  else askForHalf(form, code);
}

function askForHalf(form, linkHalf) {
  const asking = document.querySelector("form[data-half]");
  const button = asking.querySelector("button");
  asking.hidden = false;
  asking.elements.half.focus();
  asking.addEventListener("submit", async (event) => {
    event.preventDefault();
    document.querySelector("[data-passkey-error]").hidden = true;
    button.disabled = true;
    try {
      await openInvitation(form, `${linkHalf}.${asking.elements.half.value.trim()}`);
      asking.remove();
    } catch (error) {
      show(error);
      button.disabled = false;
    }
  });
}

async function openInvitation(form, code) {
  const invitation = await post(form.dataset.openUrl, form, { code });
  form.elements.code.value = code;
  form.elements.challenge.value = invitation.challenge;
  form.dataset.person = invitation.person;
  form.dataset.name = invitation.name;
  for (const place of form.querySelectorAll("[data-field]")) {
    const value = invitation[place.dataset.field];
    place.textContent = Array.isArray(value) ? value.join(", ") : value;
  }
  form.hidden = false;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  // Rendered disabled: a click before this script listens would post a form without the passkey's answer.
  button.disabled = false;
  // A page that the browser kept while another was open comes back as it was left: in the middle of signing.
  window.addEventListener("pageshow", (event) => { if (event.persisted) button.disabled = false; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    document.querySelector("[data-passkey-error]").hidden = true;
    button.disabled = true;
    try {
      if (!window.PublicKeyCredential) throw new Sentence(t("This browser knows no passkeys, or the page is not on a secure address."));
      await STEPS[form.dataset.passkey](form);
      form.submit();
    } catch (error) {
      show(error);
      button.disabled = false;
    }
  });
  if (form.dataset.passkey === "register") {
    openLink(form).catch(show).finally(() => document.querySelector("[data-opening]").remove());
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.setAttribute("aria-label", t("Copied"));
    button.title = t("Copied");
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  const search = document.querySelector("#search");
  if (event.key === "/" && search && !typing) {
    event.preventDefault();
    search.focus();
  }
});
