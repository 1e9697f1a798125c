import { sha256 } from "../../core/json.ts";
import type { Attack, AttackCorpus, HarmlessRequest } from "./attack.ts";
import type { AttackTry } from "./attack-runner.ts";

/** A try of an attack. */
export interface PlannedAttack {
  readonly attack: Attack;
  readonly sent: AttackTry;
}

/** One time that a harmless request is made. Equal ids are the same request for every version, so that versions are compared in pairs. */
export interface PlannedRequest {
  readonly request: HarmlessRequest;
  readonly sent: AttackTry;
}

/**
 * Spreads `tries` evenly over the attacks of a corpus, each of which gets one at least, and over the variants of each. `key` makes the honeytokens of this
 * replay different from those of any other.
 */
export function planAttacks({ attacks }: Pick<AttackCorpus, "attacks">, tries: number, key: string): readonly PlannedAttack[] {
  return Array.from({ length: attacks.length === 0 ? 0 : Math.max(tries, attacks.length) }, (_, index) => {
    const attack = attacks[index % attacks.length];
    const round = Math.floor(index / attacks.length);
    const turns = attack?.variants[round % attack.variants.length];
    if (attack === undefined || turns === undefined) return [];
    return [{ attack, sent: tryOf(`attack/${attack.id}/${round + 1}`, turns, key) }];
  }).flat();
}

/** Repeats the harmless requests of a corpus evenly until there are `count`; each is made at least once, unless `count` is 0. */
export function planHarmless({ harmless }: Pick<AttackCorpus, "harmless">, count: number, key: string): readonly PlannedRequest[] {
  return Array.from({ length: harmless.length === 0 || count === 0 ? 0 : Math.max(count, harmless.length) }, (_, index) => {
    const request = harmless[index % harmless.length];
    const round = Math.floor(index / harmless.length);
    return request === undefined ? [] : [{ request, sent: tryOf(`harmless/${request.id}/${round + 1}`, request.turns, key) }];
  }).flat();
}

function tryOf(id: string, turns: AttackTry["turns"], key: string): AttackTry {
  return { id, turns, honeytoken: sha256(`${key} ${id}`).slice(0, 32) };
}
