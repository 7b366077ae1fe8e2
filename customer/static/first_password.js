// Set my login password: a slip in the code of the letter is told here, before it costs a try.
import { isCode } from "./codes.js";

const form = document.getElementById("first-password");
const say = document.getElementById("code-say");

form.addEventListener("submit", (event) => {
  const isRight = isCode(form.elements.code.value);
  say.textContent = isRight ? "" : say.dataset.mistyped;
  if (isRight) return;
  event.preventDefault();
  form.elements.code.focus();
});
