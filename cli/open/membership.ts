// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { digest, institutionId } from '#core/bytes/schema.ts'
import { readAs } from '../deployment/json-file.ts'

const schema = v.strictObject({
  v: v.literal(1),
  institutions: v.array(
    v.strictObject({
      id: institutionId,
      name: v.string(),
      /** The registry where it is a member or wants to be, and the home that has it, as somebody confirmed them. */
      home: v.nullable(v.strictObject({ origin: v.string(), registry: digest })),
    }),
  ),
})

/** An institution whose keys are in a data folder, and whose registry is at a home elsewhere; no secret is in it. */
export type MemberEntry = v.InferOutput<typeof schema>['institutions'][number]

/** The institutions of a data folder beside those of its own home, as its file `members.json` says. @throws AmpereError STORE_CORRUPT */
export function readMembers(folder: string): readonly MemberEntry[] {
  return readAs(join(folder, 'members.json'), schema)?.institutions ?? []
}

/** Adds an institution, or replaces what is remembered of it. */
export function rememberMember(folder: string, entry: MemberEntry): void {
  const institutions = [...readMembers(folder).filter(({ id }) => id !== entry.id), entry]
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'members.json')
  writeFileSync(`${file}.tmp`, `${JSON.stringify({ v: 1, institutions }, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}
