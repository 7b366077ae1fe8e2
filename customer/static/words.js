// What scripts say, in the language of the page: the page brings the sentences along (customer/language.py).

const WORDS = new Map(
  [...document.querySelectorAll("#words > li")].map((line) => [line.dataset.sentence, line.textContent]),
);

export const t = (sentence) => WORDS.get(sentence) ?? sentence;
