// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { readAs } from '../deployment/json-file.ts'
import { refuse } from '../program/refuse.ts'

/** Says in the folder that is left where its home goes, or went. */
const FILE = 'moved.json'

const schema = v.strictObject({
  v: v.literal(1),
  /** The folder in which the plan of the move is. */
  to: v.string(),
  /** What the target is called, where that is not its folder. */
  name: v.optional(v.string()),
  left: v.boolean(),
})

/** Where the home of a data folder is moved to; `left` once chains move. */
export type MoveNote = v.InferOutput<typeof schema>

/** A target by the folder in which the plan of the move is, and as people name it. */
export interface NamedTarget {
  readonly folder: string
  readonly name: string
}

/** The note of a move into a target. */
export function noteOf({ folder, name }: NamedTarget, left: boolean): MoveNote {
  return { v: 1, to: folder, ...(name === folder ? {} : { name }), left }
}

/** What people call the target of a move. */
export function nameIn({ to, name }: MoveNote): string {
  return name ?? to
}

/** What a data folder says of where its home goes; null while it goes nowhere. @throws AmpereError STORE_CORRUPT */
export function readNote(folder: string): MoveNote | null {
  return readAs(join(folder, FILE), schema)
}

/** Replaces that, durably. */
export function writeNote(folder: string, note: MoveNote): void {
  replaceFile(join(folder, FILE), `${JSON.stringify(note, null, 2)}\n`)
}

/**
 * A home that was left would take new records still, and learns of no revocation any more.
 * @throws AmpereError CHAIN_MOVED
 */
export function checkNotLeft(folder: string): void {
  const note = readNote(folder)
  if (note?.left !== true) return
  const isDone = existsSync(join(note.to, 'settings.json'))
  if (!isDone && existsSync(note.to))
    throw refuse(
      'CHAIN_MOVED',
      `the home of this folder is being moved to ${nameIn(note)}, which was interrupted`,
      `npx ampere migrate --to ${nameIn(note)}`,
    )
  throw refuse(
    'CHAIN_MOVED',
    `the home of this folder was moved to ${nameIn(note)}, and takes nothing any more`,
    `npx ampere ${note.name === undefined ? `start --data ${note.to}` : `chain list --cloud ${note.name}`}; to look at what is here: npx ampere audit`,
  )
}
