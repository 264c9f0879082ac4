// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import { MAX_NOTE_BYTES } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Policy } from '#core/log/policy/definitions.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import { refuse } from '../program/refuse.ts'
import type { Screen } from '../terminal/screen.ts'
import { fetchText } from '../witness/fetch-text.ts'

/**
 * What the witnesses of a policy cosigned last: who saw a larger tree than the mirror has, has proof of any fork. Each answer is
 * bounded, and one that the log did not sign says nothing of it.
 * @param without go on, with a warning, where a witness gives no such answer
 * @throws AmpereError UPSTREAM_FAILED
 */
export async function seenByWitnesses(
  screen: Pick<Screen, 'say'>,
  policy: Policy | null,
  origin: string,
  without: boolean,
): Promise<readonly string[]> {
  if (!policy) return []
  const urls = new Set(policy.witnesses.flatMap(({ url }) => url ?? []))
  const notes: string[] = []
  for (const url of urls) {
    try {
      const note = await seenBy(url, policy, logOriginOf(origin))
      if (note !== null) notes.push(note)
    } catch (cause) {
      if (!isAmpereError(cause)) throw cause
      const what = `the witness ${url} does not say what it saw: ${cause.message}`
      const next =
        'wait for it; with --without-witness the log may fork, if it signed more than the mirror has'
      if (!without) throw refuse('UPSTREAM_FAILED', what, next, cause)
      screen.say(`Passed over: ${what}`)
    }
  }
  return notes
}

/** The checkpoint, or null where it saw none. @throws AmpereError UPSTREAM_FAILED, LOG_MALFORMED, SIGNATURE_INVALID */
async function seenBy(url: string, { logs }: Policy, log: string): Promise<string | null> {
  const at = `${url.replace(/\/$/, '')}/${logIdOf(log)}/checkpoint`
  const { status, text } = await fetchText((request) => fetch(request), at, MAX_NOTE_BYTES)
  if (status === 404) return null
  if (status !== 200) throw refuse('UPSTREAM_FAILED', `it answered ${status}`)
  // The keys of this log alone: what another one signed is not of it.
  const keys = logs.map(({ key }) => key).filter(({ name }) => name === log)
  await openCheckpoint(text, { logs: keys, cosigners: [] }, createVerifiers())
  return text
}
