import { readFileSync } from "node:fs";
import { recountTickets } from "./recount-tickets.ts";

/*
 * `node main.js <log of the application> <what runbookd counted, as JSON>` prints the recount as one line of JSON.
 */
const [log = "", counted = ""] = process.argv.slice(2);
console.log(JSON.stringify(recountTickets(readFileSync(log, "utf8"), JSON.parse(readFileSync(counted, "utf8")))));
