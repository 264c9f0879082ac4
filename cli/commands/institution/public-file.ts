// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, statSync } from 'node:fs'
import { parseCanonical } from '#core/bytes/canonical-json.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import * as v from 'valibot'
import { applicantSchema, type ApplicantRecord } from '#core/registry/records.ts'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { refuse } from '../../program/refuse.ts'

/** What an institution says of itself has some 6 KB with the largest keys. */
const MAX_BYTES = 64 * 1024
const schema = v.strictObject({ ampere: v.literal('institution/v1'), institution: applicantSchema })

/** The file that an institution hands over to be admitted: public keys only. */
export function publicFile(institution: ApplicantRecord): string {
  return `${canonicalize({ ampere: 'institution/v1', institution })}\n`
}

/** What such a file says; whether it is that institution's, its fingerprint tells. @throws AmpereError NOT_FOUND, RECORD_MALFORMED */
export function readPublicFile(file: string): ApplicantRecord {
  if (!existsSync(file)) throw refuse('NOT_FOUND', `the file ${file} is not there`)
  try {
    if (statSync(file).size > MAX_BYTES) throw new RangeError('too large')
    const text = readFileSync(file, 'utf8').trim()
    return v.parse(schema, parseCanonical(utf8(text))).institution
  } catch (cause) {
    const next = 'npx ampere institution new ID, on its machine, writes one'
    throw refuse('RECORD_MALFORMED', `${file} is no public file of an institution`, next, cause)
  }
}
