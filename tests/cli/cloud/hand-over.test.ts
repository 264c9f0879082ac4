// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { openLocal } from '#adapters/local/open.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { handOver } from '#cli/cloud/bridge/hand-over.ts'
import { asChainId } from '#core/bytes/ids.ts'
import { createPairingCodes } from '#core/bridge/store/pairing.ts'
import { createPatientIndex } from '#core/bridge/store/patients.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { seededRandom } from '#tests/deployment.ts'
import { freshFolder } from '../harness.ts'

const random = seededRandom(1)
const ports = { now: () => 1_700_000_000_000, random }
const indexKey = random(32)
const rows = createSealedRows(indexKey, random)
const chainOf = (letter: string) => asChainId(letter.repeat(42) + 'A')
const PARTITIONS = ['erased', 'served', 'settled', 'indexed', 'pairing', 'access', 'patient'] as const

/** An index on this computer with some patients, and all else that is handed over. */
async function kept(patients: Readonly<Record<string, string>>) {
  const folder = freshFolder()
  const platform = openLocal({ folder: join(folder, 'bridge'), passphrase: null, beside: false })
  const table = platform.table('bridge')
  const index = createPatientIndex(table, rows)
  for (const [id, letter] of Object.entries(patients)) {
    await index.link(id, chainOf(letter))
    await table.insert(`entry/${rows.nameOf('chain', chainOf(letter))}`, `e-${id}`, utf8(id))
  }
  for (const partition of ['erased', 'served', 'settled', 'indexed', 'access'])
    await table.insert(partition, 'one', utf8(partition))
  await table.insert('turn', 'access', utf8('0'))
  const code = await createPairingCodes(table, rows, ports).issue(chainOf('p'))
  await platform.close()
  return { folder, code }
}

const namesIn = async (table: WriteTable) => {
  const found: Record<string, number> = {}
  for (const partition of [...PARTITIONS, 'turn']) found[partition] = (await table.range(partition)).length
  return found
}

describe('what an institution kept on its computer', () => {
  it('is handed over to its bridge, and nobody opens it here any more', async () => {
    const { folder, code } = await kept({ one: 'a', two: 'b' })
    const table = openMemory().table('bridge')
    const said: string[] = []
    await handOver({ folder, indexKey }, table, (line) => void said.push(line))
    const all = { erased: 1, served: 1, settled: 1, indexed: 1, pairing: 1, access: 1, patient: 2, turn: 0 }
    expect(await namesIn(table)).toEqual(all)
    expect(await createPatientIndex(table, rows).find('two')).toBe(chainOf('b'))
    expect(await table.range(`entry/${rows.nameOf('chain', chainOf('a'))}`)).toHaveLength(1)
    expect(await createPairingCodes(table, rows, ports).redeem(code, 'hospital-b')).toMatchObject({
      chain: chainOf('p'),
    })
    expect(said).toEqual(['The bridge in the cloud has what was kept here: 2 patients'])
    expect(existsSync(join(folder, 'bridge'))).toBe(false)
    await handOver({ folder, indexKey }, table, (line) => void said.push(line))
    expect(said).toHaveLength(1)
  })

  it('is handed over beside what the bridge knows, whose record of a patient stands', async () => {
    const { folder } = await kept({ one: 'a', two: 'b', three: 'c' })
    const table = openMemory().table('bridge')
    const index = createPatientIndex(table, rows)
    await index.link('one', chainOf('x'))
    await index.link('two', chainOf('b'))
    const said: string[] = []
    await handOver({ folder, indexKey }, table, (line) => void said.push(line))
    const found = await Promise.all(['one', 'two', 'three'].map((id) => index.find(id)))
    expect(found).toEqual([chainOf('x'), chainOf('b'), chainOf('c')])
    expect(said[1]).toBe(
      `Of 1 of them it has another record already, which stands. The others stay at the home: ${chainOf('a')}`,
    )
  })

  it.each(['not-applied', 'applied-unknown'] as const)(
    'is there whole once it is said to be, whichever call fails (%s)',
    async (fault) => {
      const memory = openMemory()
      const faults = withFaults(memory)
      const { folder } = await kept({ one: 'a', two: 'b' })
      const table = faults.platform.table('bridge')
      let k = 0
      for (let isDone = false; !isDone; k++) {
        faults.plan(failAt(k, fault))
        const ended = await handOver({ folder, indexKey }, table, () => {}).then(
          () => true,
          () => false,
        )
        isDone = ended
        // A bridge that knows a patient knows before what was erased of it.
        const { patient = 0, erased } = await namesIn(memory.table('bridge'))
        if (patient > 0) expect(erased).toBe(1)
        expect(existsSync(join(folder, 'bridge'))).toBe(!isDone)
      }
      expect(k).toBeGreaterThan(5)
      expect(await namesIn(memory.table('bridge'))).toMatchObject({ access: 1, patient: 2, pairing: 1 })
    },
  )
})
