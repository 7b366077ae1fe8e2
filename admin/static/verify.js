// Presses "Go on" for the officer, as long as the signer says there is more. Without this script the button does it.

const place = () => document.querySelector("[data-verification]");

async function goOn(form) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const next = page.querySelector("[data-verification]");
  if (!next) throw new Error("no verification in the answer");
  place().replaceWith(document.adoptNode(next));
}

try {
  for (let form; (form = place()?.querySelector("form[data-continue]")); ) await goOn(form);
} catch {
  // The button is still there: pressing it shows what the console has to say.
}
