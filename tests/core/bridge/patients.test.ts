// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { memoryTable } from '#adapters/memory/table.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { asChainId } from '#core/bytes/ids.ts'
import { createPatientIndex } from '#core/bridge/store/patients.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { seededRandom } from '#tests/kept-keys.ts'

const random = seededRandom(12)

it("the link of one patient is refused in the place of another's, whoever put it there", async () => {
  const table = memoryTable()
  const rows = createSealedRows(random(32), random)
  const patients = createPatientIndex(table, rows)
  const chain = () => asChainId(toBase64url(random(32)))
  await patients.link('one', chain())
  await patients.link('two', chain())
  const [a, b] = await table.range('patient')
  if (!a || !b) throw new Error('two links were made')
  await table.swap('patient', a.key, a.version, b.value)
  const found = await Promise.allSettled([patients.find('one'), patients.find('two')])
  expect(found.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  await expect(patients.list()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})
