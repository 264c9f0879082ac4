// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { formatAddCheckpoint } from '#core/log/add-checkpoint.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { evidenceOfCheckpoints } from '#core/evidence/build.ts'
import { select } from '#core/ports/needs.ts'
import { listEvidence } from '#core/server/witness/evidence.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { witnessApp } from '#functions/witness/app.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { logOf, testLog, type TestLog } from '#tests/core/server/witness/test-log.ts'
import { scene } from '#tests/core/server/monitor/scene.ts'
import { entriesTo, LOG_ORIGIN } from '#tests/core/server/monitor/served-log.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { attacksOn, collidingSigners, renamed, withBadSignature, type Outcome } from './attack.ts'

const attack = attacksOn('witness')

/** A witness that knows a log, asked over HTTP; it has cosigned seven leaves. */
async function witnessOf(log: TestLog) {
  const random = seededRandom(3)
  const now = () => START_MS
  const ports = await select(openMemory({ now, random }), WITNESS_NEEDS)
  await addLog(ports, log.origin, log.keys)
  const witness = { name: 'witness.example/witness', verifiers: createVerifiers() }
  const app = witnessApp(ports, witness, { now, random, log: silentLog })
  const post = async (body: string) => {
    const url = 'https://witness.example/witness/add-checkpoint'
    const answer = await app.fetch(new Request(url, { method: 'POST', body }))
    return answer.status
  }
  if ((await post(await log.request(0, 7))) !== 200) throw new Error('an honest log is cosigned')
  return {
    post,
    /** The answer, with what the witness keeps. */
    outcome: async (body: string): Promise<Outcome> => {
      const status = await post(body)
      const [kept] = await listEvidence(ports, log.origin)
      if (!kept) return { called: String(status) }
      const called = `${status} ${kept.kind}`
      if (kept.kind !== 'same-size') return { called }
      const { origin, keys } = log
      const notes = [kept.cosigned, kept.refused] as const
      const bytes = evidenceOfCheckpoints({ origin, log: keys }, notes, { how: 'root' })
      return { called, evidence: { bytes, pins: { registry: null, logs: keys } } }
    },
    cosigned: async () =>
      (
        await app.fetch(new Request(`https://witness.example/witness/${logIdOf(log.origin)}/checkpoint`))
      ).text(),
  }
}

describe('a witness of a malicious log', () => {
  attack('is offered a smaller tree than it cosigned', async () => {
    const log = await testLog()
    return (await witnessOf(log)).outcome(await log.request(5, 5))
  })

  attack('is offered another tree of the size that it cosigned', async () => {
    const witness = await witnessOf(await testLog())
    return witness.outcome(await (await testLog(1, 3)).request(7, 7))
  })

  attack('is offered a larger tree that does not continue the one it cosigned', async () => {
    const witness = await witnessOf(await testLog())
    return witness.outcome(await (await testLog(1, 3)).request(7, 9))
  })

  attack('is offered a tree of another origin under the key of a known log', async () => {
    const log = await testLog()
    const moved = log.signers.map((signer) => renamed(signer, 'log-9.example/log'))
    return (await witnessOf(log)).outcome(await logOf(moved).request(0, 9))
  })

  attack('is offered a tree signed by another key with the same name and key ID', async () => {
    const [pinned, other] = await collidingSigners('log-1.example/log')
    const witness = await witnessOf(logOf([pinned]))
    const refused = await witness.outcome(await logOf([other]).request(7, 9))
    return (await witness.post(await logOf([pinned]).request(7, 9))) === 200 ? refused : { called: 'always' }
  })

  attack('is offered a tree with a bad signature by a known key beside a good one', async () => {
    const log = logOf([
      await signerOf('log-1.example/log', 'Ed25519', 1),
      await signerOf('log-1.example/log', 'Ed25519', 2),
    ])
    const note = withBadSignature(await log.note(9), 1)
    return (await witnessOf(log)).outcome(formatAddCheckpoint({ oldSize: 7, hashes: log.proof(7, 9), note }))
  })

  attack('cosigned another tree than monitors are shown', async () => {
    const { log, monitor } = await scene()
    const shown = await log.grow(9, { cosigned: false })
    await monitor.run()
    const { size } = await monitor.says(20)
    // What the witness serves of the same log, to whoever compares.
    const cosigned = await log.publish(entriesTo(9, 8), { hidden: true })
    const of = { origin: LOG_ORIGIN, log: log.policy.logs.map(({ key }) => formatVerifierKey(key)) }
    const bytes = evidenceOfCheckpoints(of, [shown, cosigned], { how: 'root' })
    // An absence is said of the cosigned tree of seven leaves, not of the nine that no witness saw.
    const called = size === 7 ? 'not cosigned' : 'cosigned'
    return { called, evidence: { bytes, pins: { registry: null, logs: of.log } } }
  })
})
