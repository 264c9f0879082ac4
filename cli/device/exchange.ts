// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { createFile, replaceFile } from '#adapters/local/store/durable-file.ts'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { parseWith } from '#core/bytes/schema.ts'
import { actionOf } from '#core/block/approval.ts'
import { invitationSchema, type Invitation } from '#core/client/devices/claim.ts'
import { parseDraft, parseProposal, type Draft, type Proposal } from '#core/client/devices/proposal.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { AmpereError } from '#core/errors.ts'
import { refuse } from '../program/refuse.ts'
import { readInput } from '../terminal/files.ts'

/** Lists of 16 devices for two chains, each with its keys, take a fifth of it. */
const MAX_BYTES = 1024 * 1024
const SPLIT = 'name the file that the other party wrote'

const claimFile = v.strictObject({
  v: v.literal(1),
  type: v.literal('ampere-claim'),
  claim: v.pipe(v.string(), v.maxLength(16 * 1024)),
})

/** What passes between a device and a desk as a file. */
export type Exchanged = Invitation | Proposal | v.InferOutput<typeof claimFile>

/** @throws AmpereError REQUEST_MALFORMED, TOO_LARGE */
export function readExchanged(file: string): Exchanged {
  const text = new TextDecoder().decode(readInput(file, MAX_BYTES, SPLIT))
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', `${file} is not one of our files`, { cause })
  }
  switch ((content as { type?: unknown } | null)?.type) {
    case 'ampere-invitation':
      return parseWith(invitationSchema, content, 'REQUEST_MALFORMED', 'invitation')
    case 'ampere-claim':
      return parseWith(claimFile, content, 'REQUEST_MALFORMED', 'claim')
    case 'ampere-proposal':
      return parseProposal(content)
    default:
      throw new AmpereError('REQUEST_MALFORMED', `${file} is no invitation, claim or proposal`)
  }
}

/** An invitation in a file. @throws AmpereError REQUEST_MALFORMED */
export function readInvitation(file: string): Invitation {
  const content = readExchanged(file)
  if (content.type === 'ampere-invitation') return content
  throw refuse(
    'REQUEST_MALFORMED',
    `${file} is no invitation`,
    'npx ampere device invite RECORD --out FILE (at the institution)',
  )
}

/** Writes a file for the other party (mode 0600). @throws AmpereError ALREADY_EXISTS: nothing of anybody is overwritten */
export function writeExchanged(file: string, content: Exchanged): void {
  if (!createFile(file, `${JSON.stringify(content, null, 1)}\n`)) throw taken(file)
}

/** @throws AmpereError ALREADY_EXISTS, before anything is done that the file would be for */
export function checkNew(file: string): void {
  if (existsSync(file)) throw taken(file)
}

function taken(file: string): AmpereError {
  return refuse('ALREADY_EXISTS', `${file} is there already, and is left alone`, 'name another: --out FILE')
}

/** Keeps what belongs to a proposal until it is made. */
export function saveDraft(folder: string, proposal: Proposal, draft: Draft): void {
  mkdirSync(join(folder, 'drafts'), { recursive: true, mode: 0o700 })
  replaceFile(draftFile(folder, proposal), JSON.stringify(draft))
}

/** What this party kept of a proposal, or null where another made it. @throws AmpereError STORE_CORRUPT */
export function readDraft(folder: string, proposal: Proposal): Draft | null {
  const file = draftFile(folder, proposal)
  if (!existsSync(file)) return null
  try {
    return parseDraft(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged`, { cause })
  }
}

/** To be called once it was made. */
export function removeDraft(folder: string, proposal: Proposal): void {
  rmSync(draftFile(folder, proposal), { force: true })
}

/** The same whatever was approved meanwhile. */
function draftFile(folder: string, { steps }: Proposal): string {
  const said = steps.map(({ chain, seq, type, body }) => ({ chain, seq, action: actionOf(type, body) }))
  return join(folder, 'drafts', `${digestOf(canonicalBytes(said))}.json`)
}
