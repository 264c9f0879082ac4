// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'

/** What the witness's process says in one line once it serves, or why it does not. */
export const said = v.union([
  v.strictObject({ port: v.number(), keys: v.array(v.string()) }),
  v.strictObject({ failed: v.string() }),
])
/** What it is told in one line: the log that it is to cosign. Its standard input ends when its demo does. */
export const toldLog = v.strictObject({ origin: v.string(), keys: v.array(v.string()) })

/** What the process is started with, as arguments in this order. */
export interface WitnessArguments {
  readonly folder: string
  /** Where it listens. */
  readonly port: number
  /** `next` where the port is not in a policy yet, so that another one will do. */
  readonly mode: 'next' | 'exactly'
  /** Name of its keys. */
  readonly name: string
}

/** Name of the keys of a demo's witness. It says what it is worth also in receipts and exports that leave this computer. */
export function demoWitnessName(origin: string): string {
  return `${new URL(origin).host}/same-machine-witness`
}
