// The rule of ca/domain/codes.py: the last character proves the others, so that a slip is found before anything is sent.

const QUASIGROUP = [
  "0317598642",
  "7092154863",
  "4206871359",
  "1750983426",
  "6123045978",
  "3674209581",
  "5869720134",
  "8945362017",
  "9438617205",
  "2581436790",
];
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FIELD = 0b100101;

const withoutGaps = (typed) => typed.replace(/[\s-]/g, "");

// The ten digits; null when one is missing or mistyped.
export function referenceNumber(typed) {
  const digits = withoutGaps(typed);
  if (!/^\d{10}$/.test(digits)) return null;
  return [...digits].reduce((interim, digit) => QUASIGROUP[interim][digit], "0") === "0" ? digits : null;
}

// Whether these can be the twelve letters and digits of a letter.
export function isCode(typed) {
  const code = withoutGaps(typed).toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
  const places = [...code].map((character) => ALPHABET.indexOf(character));
  if (places.length !== 12 || places.includes(-1)) return false;
  return places.reduce(doubledSum, 0) === 0;
}

// In the field with 32 elements.
function doubledSum(interim, place) {
  const doubled = (interim ^ place) << 1;
  return doubled > 31 ? doubled ^ FIELD : doubled;
}
