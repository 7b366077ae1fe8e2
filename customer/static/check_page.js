// Check this computer.
import { begin } from "./check.js";

begin(() => {});
