// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { addCheckpoint, type WitnessAnswer } from '#core/server/witness/add-checkpoint.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import { addLog, readCosigned } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS, type WitnessPorts } from '#core/server/witness/needs.ts'
import type { LogKey } from '#core/log/note/key.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import type { TestLog } from './test-log.ts'

export const NAME = 'witness.example/witness'
export const WITNESS = { name: NAME, verifiers: createVerifiers() }

/** A witness in memory that knows a log. */
export interface TestWitness {
  readonly ports: WitnessPorts
  readonly clock: { now: number }
  readonly keys: readonly LogKey[]
  readonly ask: (oldSize: number, size: number, log?: TestLog) => Promise<WitnessAnswer>
  /** The size that it cosigned last, 0 for nothing, by what it serves; throws unless both sides signed that. */
  readonly served: () => Promise<number>
}

/** `wrap` stands between the witness and its platform. */
export async function testWitness(
  log: TestLog,
  wrap: (base: Platform) => Platform = (base) => base,
): Promise<TestWitness> {
  const clock = { now: START_MS }
  const base = withKeptKeys(openMemory({ now: () => clock.now, random: seededRandom(3) }), 'witness')
  const plain = await select(base, WITNESS_NEEDS)
  const ports = await select(wrap(base), WITNESS_NEEDS)
  const keys = witnessKeys(plain, NAME)
  await addLog(plain, log.origin, log.keys)
  return {
    ports,
    clock,
    keys,
    ask: async (oldSize, size, other = log) =>
      addCheckpoint(ports, WITNESS, utf8(await other.request(oldSize, size))),
    served: async () => {
      const note = await readCosigned(plain, logIdOf(log.origin)).catch(() => null)
      if (note === null) return 0
      const known = { logs: log.signers.map(({ key }) => key), cosigners: keys }
      const { checkpoint, cosignatures } = await openCheckpoint(note, known, WITNESS.verifiers)
      if (cosignatures.length !== keys.length) throw new Error('not cosigned by both keys')
      return checkpoint.size
    },
  }
}
