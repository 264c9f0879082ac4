// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { logOriginOf } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { formatVerifierKey, logSigner } from '#core/log/note/key.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { logKeysOf, makeWitness, witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { entry, HOME } from '#tests/e2e/revoked-scene.ts'
import { checkpoints, fileOf, linesOf } from './export-mutations.ts'
import { seen, type TimedRecord } from './timed-records.ts'

const LOG = logOriginOf(ORIGIN)

/**
 * A record whose log says in a file that it signed `aheadMs` after it did. One of the two witnesses of the policy, both of which
 * must cosign, has a clock that is `behindMs` behind.
 */
export async function witnessBehind(behindMs: number, aheadMs: number): Promise<TimedRecord> {
  const at = await witnessedWorld(['w1', 'w2'], 2)
  const { world, clock, between, base } = at
  const slow = {
    get now() {
      return clock.now - behindMs
    },
  }
  const logKeys = (await logKeysOf(base)).map(formatVerifierKey)
  between.set('http://w1.test', (await makeWitness('http://w1.test', logKeys, slow, 20)).app)
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  const signedMs = clock.now
  await world.tendLog()
  clock.now += 3_600_000
  const found = await seen(at, record)
  const lines = linesOf(fromUtf8(found.bytes))
  const signer = logSigner(LOG, 'cosignature-ML-DSA-44', await base.signer('log-quantum'))
  const notes = new Map<string, string>()
  for (const line of lines) {
    if (!('checkpoint' in line)) continue
    const note = String(line['checkpoint'])
    const { text, signatures } = parseNote(note)
    const others = signatures.filter(({ name, id }) => name !== LOG || id !== signer.key.id)
    const own = await signCheckpointText(signer, text, Math.floor((signedMs + aheadMs) / 1000))
    notes.set(note, formatNote({ text, signatures: [own, ...others] }))
  }
  return { ...found, bytes: fileOf(checkpoints((note) => notes.get(note) ?? note)(lines)) }
}
