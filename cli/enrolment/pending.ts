// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import { digest, institutionId } from '#core/bytes/schema.ts'
import { AmpereError } from '#core/errors.ts'

const schema = v.strictObject({
  v: v.literal(1),
  origin: v.string(),
  registry: digest,
  institution: institutionId,
  /** The request as it was signed; sent again it is the same one. */
  request: v.string(),
  passphrase: v.union([
    v.strictObject({ kind: v.picklist(['generated', 'prompt', 'keychain']) }),
    v.strictObject({ kind: v.literal('file'), path: v.string() }),
  ]),
})
/** A request of this machine that was not answered yet; no secret is in it. */
export type Pending = v.InferOutput<typeof schema>

const fileIn = (folder: string): string => join(folder, 'enrolment.json')

/** @throws AmpereError STORE_CORRUPT; null where there is none */
export function readPending(folder: string): Pending | null {
  const file = fileIn(folder)
  if (!existsSync(file)) return null
  try {
    return v.parse(schema, JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged; without it the request is made anew`, {
      cause,
    })
  }
}

export function writePending(folder: string, pending: Pending): void {
  replaceFile(fileIn(folder), `${JSON.stringify(pending, null, 2)}\n`)
}

export function removePending(folder: string): void {
  rmSync(fileIn(folder), { force: true })
}
